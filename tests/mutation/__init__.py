"""Mutants: would the tests notice if one place of the code were wrong?

`changes` makes the mutants of a room; `reach` and `baseline` find out which tests run which statement, in forked
children and in scripts that tests start as well; `trial` asks them; `earlier` knows what need not be asked again;
`worker` runs them in forks of a process that has imported everything but the packages; `workers` keeps a copy of the
project for each.

Neither mutmut nor cosmic-ray would do. mutmut 3 leaves alone what is decorated and what stands outside of functions,
such as the number of seconds before a renewal, and its forks inherit what the clean run left behind: a hook that is
registered once stays registered. cosmic-ray starts the whole test command for each mutant. Neither leaves out a
statement.
"""
