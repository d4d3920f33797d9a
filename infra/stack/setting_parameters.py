"""Stack parameters that only pass a setting on: default, range and description are the setting's own."""

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from batch.settings import BatchSettings

_BOUNDS = {"ge": "MinValue", "le": "MaxValue"}


def setting_parameters(template: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a template refers to without declaring them.

    Args:
        template: A template whose functions have variables such as `KEY_RATE: {Ref: KeyRate}`.

    Returns:
        One parameter for each variable that is a setting, has the parameter's name and is not declared.
    """
    environments = [template["Globals"]["Function"], *(r.get("Properties", {}) for r in template["Resources"].values())]
    declared = template["Parameters"].keys() | template["Resources"].keys()
    return {
        parameter_name(variable): _parameter(BatchSettings.model_fields[variable.lower()])
        for properties in environments
        for variable, value in properties.get("Environment", {}).get("Variables", {}).items()
        if value == {"Ref": parameter_name(variable)} and parameter_name(variable) not in declared
    }


def parameter_name(variable: str) -> str:
    """`KEY_RATE` as the stack's parameter: `KeyRate`."""
    return "".join(word.capitalize() for word in variable.split("_"))


def _parameter(field: FieldInfo) -> dict[str, Any]:
    parameter: dict[str, Any] = {"Description": field.description}
    if field.annotation is bool:
        return {
            **parameter,
            "Type": "String",
            "Default": str(field.default).lower(),
            "AllowedValues": ["true", "false"],
        }
    if field.annotation in (int, float):
        bounds = {
            name: getattr(bound, key)
            for bound in field.metadata
            for key, name in _BOUNDS.items()
            if getattr(bound, key, None) is not None
        }
        return {**parameter, "Type": "Number", "Default": field.default, **bounds}
    parameter |= {"Type": "String", "Default": field.default}
    if get_origin(field.annotation) is Literal:
        parameter["AllowedValues"] = list(get_args(field.annotation))
    return parameter
