//! Resources given away with the arguments of a call: the guest's once the call
//! begins, and given back if it never does.

use super::resource::Resource;
use airssys_host::instance::{Function, Invocation, StoreData};
use airssys_host::wasmtime::component::ResourceAny;
use airssys_host::wasmtime::{self, Store};
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// The resources of one call, on their way.
#[derive(Default)]
pub struct Moved(Vec<(Py<Resource>, ResourceAny)>);

impl Moved {
    /// Adds one that was just taken from its Python object.
    pub fn add(&mut self, resource: Py<Resource>, handle: ResourceAny) {
        self.0.push((resource, handle));
    }
}

// Also those of a call that was refused before it was made.
impl Drop for Moved {
    fn drop(&mut self) {
        for (resource, handle) in self.0.drain(..) {
            resource.get().give_back(handle);
        }
    }
}

/// Who has the resources of a call; shared with whoever may cancel it.
#[derive(Clone)]
pub struct Given(Arc<Mutex<State>>);

enum State {
    /// The call waits for its turn.
    Waiting(Moved),
    /// The guest has them.
    Begun,
    /// Their Python objects have them again.
    Back,
}

impl Given {
    /// The resources of a call that is to be made, if it takes any.
    pub fn new(moved: Moved) -> Option<Given> {
        (!moved.0.is_empty()).then(|| Given(Arc::new(Mutex::new(State::Waiting(moved)))))
    }

    /// Gives them back, unless the call has begun.
    pub fn give_back(&self) {
        let mut state = self.lock();
        if matches!(*state, State::Waiting(_)) {
            // A lock of its own for each resource: outside ours.
            let moved = std::mem::replace(&mut *state, State::Back);
            drop(state);
            drop(moved);
        }
    }

    fn begin(&self) -> wasmtime::Result<()> {
        match std::mem::replace(&mut *self.lock(), State::Begun) {
            State::Waiting(mut moved) => {
                moved.0.clear();
                Ok(())
            }
            State::Begun | State::Back => Err(wasmtime::Error::msg(
                "the call was cancelled in the moment in which it began",
            )),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that takes resources along when it begins.
pub struct Delivery<I> {
    invocation: I,
    unsent: Unsent,
}

impl<I> Delivery<I> {
    /// The call with what it takes along.
    pub fn new(invocation: I, given: Option<Given>) -> Delivery<I> {
        let unsent = Unsent(given);
        Delivery { invocation, unsent }
    }
}

/// Gives back what was never taken along, however the call is lost.
struct Unsent(Option<Given>);

impl Unsent {
    fn begin(&self) -> wasmtime::Result<()> {
        self.0.as_ref().map_or(Ok(()), Given::begin)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(given) = &self.0 {
            given.give_back();
        }
    }
}

impl<I: Invocation> Invocation for Delivery<I> {
    type Output = I::Output;

    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<I::Output> {
        self.unsent.begin()?;
        self.invocation.call(store, function)
    }

    async fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<I::Output> {
        self.unsent.begin()?;
        self.invocation.call_async(store, function).await
    }

    fn bytes_in(&self) -> u64 {
        self.invocation.bytes_in()
    }

    fn bytes_out(output: &I::Output) -> u64 {
        I::bytes_out(output)
    }
}
