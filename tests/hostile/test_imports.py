"""Imports that were not granted: refused before anything runs, every one named."""

from __future__ import annotations

import pytest
from tests.hostile.attack import LIMITS, Host
from tests.hostile.wasi_guests import CLOCK, POLL, RANDOM, wasi_guest

import airssys_wasm as aw

#: Component -> what the error must name.
UNGRANTED = {
    "environment": ("wasi:cli/environment@0.2.0", 'export "f" (func)'),
    "newer environment": ("wasi:cli/environment@0.2.9", 'export "f" (func)'),
    "preopens": ("wasi:filesystem/preopens@0.2.0", 'export "f" (func)'),
    "files": ("wasi:filesystem/types@0.2.0", 'export "f" (func)'),
    "network": ("wasi:sockets/network@0.2.0", 'export "f" (func)'),
    "tcp": ("wasi:sockets/tcp@0.2.0", 'export "f" (func)'),
    "names": ("wasi:sockets/ip-name-lookup@0.2.0", 'export "f" (func)'),
    "http": ("wasi:http/outgoing-handler@0.2.0", 'export "f" (func)'),
    "environment of 0.3": ("wasi:cli/environment@0.3.0", 'export "f" (func)'),
    "files of 0.3": ("wasi:filesystem/types@0.3.1", 'export "f" (func)'),
    "a draft of 0.3": ("wasi:clocks/system-clock@0.3.0-rc-2026-01-06", 'export "f" (func)'),
    "clocks of 1.0": ("wasi:clocks/monotonic-clock@1.0.0", 'export "f" (func)'),
    "clocks without version": ("wasi:clocks/monotonic-clock", 'export "f" (func)'),
    "an unknown wasi interface": ("wasi:keyvalue/store@0.2.0", 'export "f" (func)'),
    "our storage": ("airssys:core/storage@1.0.0", 'export "f" (func)'),
    "our storage of another version": ("airssys:core/storage@9.9.9", 'export "f" (func)'),
    "our processes": ("airssys:process/process@1.0.0", 'export "f" (func)'),
    "an unknown package": ("acme:crm/lookup@1.0.0", 'export "f" (func)'),
    "a resource alone": ("acme:crm/types", 'export "r" (type (sub resource))'),
    "a lookalike": ("wasl:clocks/monotonic-clock@0.2.0", 'export "f" (func)'),
}
#: Imports that are no interface.
PLAIN = {
    "env": '(import "env" (func))',
    "a module": '(import "m" (core module))',
}


@pytest.mark.parametrize("what", UNGRANTED)
def test_w20_an_interface_that_was_not_granted_is_named(host: Host, what: str) -> None:
    interface, content = UNGRANTED[what]
    source = f'(component (import "{interface}" (instance ({content}))))'

    error = host.attack(source, expect=aw.ImportMissing).error

    assert isinstance(error, aw.ImportMissing)
    ((name, hint),) = error.missing
    assert name == interface
    assert hint
    assert interface in str(error)


@pytest.mark.parametrize("what", PLAIN)
def test_w20_what_is_imported_outside_interfaces_is_named(host: Host, what: str) -> None:
    error = host.attack(f"(component {PLAIN[what]})", expect=aw.ImportMissing).error

    assert isinstance(error, aw.ImportMissing)
    assert len(error.missing) == 1


def test_w20_a_component_as_an_import_is_refused_when_loaded(host: Host) -> None:
    host.attack('(component (import "c" (component)))', expect=aw.ComponentInvalid)


def test_w20_every_missing_import_is_listed_at_once(host: Host) -> None:
    wanted = [interface for interface, _ in UNGRANTED.values()]
    imports = "".join(
        f'(import "{interface}" (instance ({content})))'
        for interface, content in UNGRANTED.values()
    )

    error = host.attack(f"(component {imports})", expect=aw.ImportMissing).error

    assert isinstance(error, aw.ImportMissing)
    assert [name for name, _ in error.missing] == wanted


def test_w20_a_start_function_does_not_run_if_an_import_is_missing(host: Host) -> None:
    started = []
    source = """
    (component
      (import "started" (func $started))
      (import "wasi:cli/environment@0.2.0" (instance (export "f" (func))))
      (core func $started (canon lower (func $started)))
      (core module $m (import "host" "started" (func $s)) (start $s))
      (core instance (instantiate $m
        (with "host" (instance (export "started" (func $started)))))))
    """
    with pytest.raises(aw.ImportMissing):
        host.engine.load(source).instantiate(
            limits=LIMITS, imports={"started": lambda: started.append(1)}
        )

    assert not started
    host.assert_unharmed()


@pytest.mark.parametrize(
    "function",
    [
        '(export "get-random-bytes" (func (param "len" u32) (result (list u8))))',
        '(export "get-random-bytes" (func (param "len" u64) (result string)))',
        '(export "get-random-bytes" (func))',
        '(export "format-disk" (func))',
    ],
)
def test_w20_a_granted_interface_of_another_shape_is_refused(host: Host, function: str) -> None:
    source = f'(component (import "wasi:random/random@0.2.0" (instance {function})))'

    outcome = host.attack(source, expect=aw.AirssysError)

    assert isinstance(outcome.error, aw.ImportMissing | aw.ComponentInvalid)
    assert "wasi:random/random@0.2.0" in str(outcome.error)


def test_w20_a_grant_for_one_instance_is_none_for_the_next(host: Host) -> None:
    component = host.engine.load(
        wasi_guest(
            POLL + CLOCK,
            {"now": ('$clock "now"', "(result i64)")},
            '(func (export "run") (result i64) (call $now))',
            result="u64",
        )
    )
    component.instantiate(limits=LIMITS).close()

    for _ in range(3):
        with pytest.raises(aw.ImportMissing):
            component.instantiate(limits=LIMITS, grant=aw.Grant(clocks=False))
        component.instantiate(limits=LIMITS, grant=aw.Grant(clocks=True)).close()
    host.assert_unharmed()


def test_w21_a_component_that_exports_a_host_interface_shadows_nothing(host: Host) -> None:
    shadow = """
    (component
      (core module $m (func (export "f") (result i64) (i64.const 4)))
      (core instance $i (instantiate $m))
      (func $f (result u64) (canon lift (core func $i "f")))
      (instance $random (export "get-random-u64" (func $f)))
      (export "wasi:random/random@0.2.0" (instance $random)))
    """
    honest = wasi_guest(
        RANDOM,
        {"random": ('$random "get-random-u64"', "(result i64)")},
        '(func (export "run") (result i64) (call $random))',
        result="u64",
    )
    with (
        host.engine.load(shadow).instantiate(limits=LIMITS) as shadowing,
        host.engine.load(honest).instantiate(limits=LIMITS) as user,
    ):
        assert shadowing.call("wasi:random/random@0.2.0#get-random-u64") == 4
        assert {user.call("run") for _ in range(20)} != {4}


def test_w21_exporting_one_name_twice_is_refused(host: Host) -> None:
    source = """
    (component
      (core module $m (func (export "f")))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (export "run" (func $f)) (export "run" (func $f)))
    """

    host.attack(source, expect=aw.ComponentInvalid)
