"""Which prompt to preview, one field for each of its variables, and a question."""

from django import forms

from scope_client import PromptVersion

LABELS = ("production", "latest")
FIRST = {"prompt": "greeting", "version": "production"}

# The API has no list of prompts, so a site names those that it uses; the platform shows the IDs of their versions.
PROMPTS = {
    "greeting": {
        "version 1": "v_31G0N6DDKE85D9JDNXGDG3XM05",
        "version 2": "v_5AMB6FV5ZVS5HQTXBFXVF20WQM",
        "version 3": "v_5XD0PKECJF0AJDD7D2KAE88PRR",
    },
    "extract-order": {},
    "newsletter": {},
    "support-chat": {},
}


class PromptForm(forms.Form):
    prompt = forms.CharField(max_length=200, label="Name or ID")
    version = forms.CharField(max_length=200, help_text="production, latest, or the ID of a version")


class VariablesForm(forms.Form):
    """A value may be any text that is not empty; the spaces at its ends stay."""

    def __init__(self, version: PromptVersion, *args: object, **kwargs: object) -> None:
        super().__init__(*args, prefix="variable", **kwargs)
        for variable in version.variables:
            self.fields[variable] = forms.CharField(
                label=variable, strip=False, widget=forms.Textarea(attrs={"rows": 3})
            )


class QuestionForm(forms.Form):
    question = forms.CharField(max_length=1000, initial="Is the lamp dimmable?")
