//! What is compiled of a component: its own bytes, or those with a shorter way to its
//! functions.
//!
//! The engine looks a function up at each call, and a tenth of a short message is that.
//! [`airssys_core::relift`] saves it, at the price of one more core instance for each
//! instance of the component, which takes time to make and room. That pays for what
//! handles messages, by the million, and not for what may be called a few times: a
//! component without these functions is compiled as it is.
//!
//! So are components with component-model async: each core instance counts towards the
//! stacks that their tasks may hold.

use super::inspect;
use crate::actor::{HANDLE_CALLBACK, HANDLE_MESSAGE};
use crate::engine::{Concurrency, guest_features};
use std::borrow::Cow;

/// Names how this is done. It goes into the name of what is compiled, so that the code
/// that another version made is not taken for it.
pub(super) const VERSION: &str = "relift 1";

/// What to compile of a component that was validated.
pub(super) fn relift(binary: &[u8], concurrency: Concurrency) -> Cow<'_, [u8]> {
    if concurrency == Concurrency::On {
        return Cow::Borrowed(binary);
    }
    match airssys_core::relift::relift(binary, handles_messages) {
        // Nothing that was not checked is compiled, whoever wrote it.
        Some(relifted) if inspect::validate(&relifted, guest_features(concurrency)).is_ok() => {
            Cow::Owned(relifted)
        }
        _ => Cow::Borrowed(binary),
    }
}

/// Whether a core function is called for each message. Tool chains give it the name of
/// the export that it becomes.
fn handles_messages(name: &str) -> bool {
    [HANDLE_MESSAGE, HANDLE_CALLBACK].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Codegen, Density, compile_engine, describe};
    use wasmtime::component::{Component, Linker, Val};
    use wasmtime::{Store, WasmBacktrace};

    /// What an actor is to the engine: `handle` echoes a text, or traps on an empty one.
    fn actor() -> Vec<u8> {
        let text = format!(
            r#"(component
              (core module $m (memory (export "mem") 1) (global $freed (mut i32) (i32.const 0))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                (func $trap unreachable)
                (func $handle (export "{HANDLE_MESSAGE}") (param i32 i32) (result i32)
                  (if (i32.eqz (local.get 1)) (then (call $trap)))
                  (i32.store (i32.const 0) (local.get 0))
                  (i32.store (i32.const 4) (local.get 1))
                  i32.const 0)
                (func (export "free") (param i32)
                  (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
                (func (export "freed") (result i32) global.get $freed))
              (core instance $i (instantiate $m))
              (func (export "handle") (param "t" string) (result string)
                (canon lift (core func $i "{HANDLE_MESSAGE}") (memory $i "mem")
                  (realloc (func $i "realloc")) (post-return (func $i "free"))))
              (func (export "freed") (result u32) (canon lift (core func $i "freed"))))"#
        );
        wat::parse_str(text).unwrap()
    }

    struct Live {
        store: Store<()>,
        instance: wasmtime::component::Instance,
    }

    impl Live {
        fn new(binary: &[u8]) -> Live {
            let ordinary = describe(Density::Standard, Codegen::ORDINARY);
            let (engine, _) = compile_engine(&ordinary).unwrap();
            let component = Component::from_binary(&engine, binary).unwrap();
            let mut store = Store::new(&engine, ());
            store.set_epoch_deadline(1);
            let instance = Linker::new(&engine).instantiate(&mut store, &component);
            Live {
                instance: instance.unwrap(),
                store,
            }
        }

        fn call(&mut self, name: &str, params: &[Val]) -> wasmtime::Result<Val> {
            let function = self.instance.get_func(&mut self.store, name).unwrap();
            let mut results = [Val::Bool(false)];
            function.call(&mut self.store, params, &mut results)?;
            let [result] = results;
            Ok(result)
        }

        fn handle(&mut self, text: &str) -> wasmtime::Result<Val> {
            self.call("handle", &[Val::String(text.to_owned())])
        }
    }

    /// The frames of a trap, as far as anybody can see them.
    fn frames(error: &wasmtime::Error) -> Vec<String> {
        let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
        let frame = |frame: &wasmtime::FrameInfo| {
            let at = (frame.module_offset(), frame.func_offset());
            let module = frame.module().name().map(str::to_owned);
            format!(
                "{:?} {} {:?} {at:?}",
                frame.func_name(),
                frame.func_index(),
                module
            )
        };
        trace.frames().iter().map(frame).collect()
    }

    #[test]
    fn an_actor_does_the_same_whichever_way_its_functions_are_found() {
        let original = actor();
        let relifted = relift(&original, Concurrency::Off);
        assert_ne!(*relifted, *original);
        let (mut one, mut other) = (Live::new(&original), Live::new(&relifted));
        for live in [&mut one, &mut other] {
            for text in ["a", "longer"] {
                let echoed = live.handle(text).unwrap();
                assert_eq!(echoed, Val::String(text.to_owned()));
            }
            assert_eq!(live.call("freed", &[]).unwrap(), Val::U32(2));
        }
        let (one, other) = (one.handle("").unwrap_err(), other.handle("").unwrap_err());
        assert_eq!(frames(&one).len(), 2);
        assert_eq!(frames(&one), frames(&other));
        assert_eq!(
            one.downcast_ref::<wasmtime::Trap>(),
            other.downcast_ref::<wasmtime::Trap>()
        );
    }

    #[test]
    fn what_handles_no_messages_is_compiled_as_it_is() {
        let dir = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/components/prebuilt"
        );
        for (name, handles) in [("words", false), ("echo", false), ("messenger", true)] {
            let binary = std::fs::read(format!("{dir}/{name}.wasm")).unwrap();
            let compiled = relift(&binary, Concurrency::Off);
            assert_eq!(*compiled != *binary, handles, "{name}");
        }
    }

    #[test]
    fn what_keeps_track_of_tasks_is_compiled_as_it_is() {
        let binary = actor();
        assert!(matches!(relift(&binary, Concurrency::On), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_valid_is_left_for_the_compiler_to_refuse() {
        let mut binary = actor();
        binary.truncate(binary.len() - 3);
        assert_eq!(*relift(&binary, Concurrency::Off), *binary);
    }
}
