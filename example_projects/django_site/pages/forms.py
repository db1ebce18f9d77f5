"""Which prompt to preview, and one field for each of its variables."""

from django import forms

from scope_client import PromptVersion

LABELS = [("production", "production"), ("latest", "latest")]


class PromptForm(forms.Form):
    prompt = forms.CharField(max_length=200, help_text="Its name or ID, such as greeting or support-chat.")
    label = forms.ChoiceField(choices=LABELS, required=False)


class VariablesForm(forms.Form):
    """A value may be any text that is not empty; the spaces at its ends stay."""

    def __init__(self, version: PromptVersion, *args: object, **kwargs: object) -> None:
        super().__init__(*args, prefix="variable", **kwargs)
        for variable in version.variables:
            self.fields[variable] = forms.CharField(
                label=variable, strip=False, widget=forms.Textarea(attrs={"rows": 2})
            )
