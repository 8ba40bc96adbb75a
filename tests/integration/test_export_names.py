"""A function that is not there is refused with what was probably meant."""

from __future__ import annotations

import pytest

import airssys_wasm as aw

API = "acme:echo/api@1.0.0"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        (f"{API}#nothin", f'did you mean "{API}#nothing"?'),
        ("acme:echo/api@2.0.0#add", f'did you mean "{API}#add"?'),
        ("acme:ecko/api#add", f'"{API}#add"'),
        ("acme:echo/api", f'it is an interface with "{API}#echo-bytes", '),
        ("acme:echo/api@2.0.0", f'it is an interface with "{API}#echo-bytes", '),
        ("nothing-like-it", "it has "),
    ],
)
def test_the_hint_names_it(instance: aw.Instance, wanted: str, hint: str) -> None:
    with pytest.raises(aw.ExportMissing) as caught:
        instance.call(wanted, 1, 2)

    assert hint in str(caught.value)


def test_a_name_that_nobody_means_is_not_repeated_whole(instance: aw.Instance) -> None:
    with pytest.raises(aw.ExportMissing) as caught:
        instance.call("x" * 100_000)

    assert "100000 bytes in all" in str(caught.value)
    assert len(str(caught.value)) < 2000
