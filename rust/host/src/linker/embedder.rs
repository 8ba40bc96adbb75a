//! Imports that the embedder supplies.

use super::concurrent;
use crate::instance::{HeldBytes, StoreData, bytes_of, enter_host, leave_host};
use crate::messaging::Post;
use crate::stack::on_guest_stack;
use crate::trap::HostFunctionFailed;
use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use wasmtime::component::{LinkerInstance, ResourceType, Val};
use wasmtime::{AsContextMut as _, StoreContextMut};

/// One function the embedder supplies; its place in the list is its index.
#[derive(Clone, Debug)]
pub struct Supplied {
    /// Interface as the embedder names it, the version optional; empty for a
    /// function of the world itself.
    pub interface: String,
    /// Function name as WIT has it.
    pub function: String,
    /// Whether it may wait, so that the guest must be able to be set aside.
    pub waits: bool,
    /// How to link it through a typed lane instead, if its shape has one.
    pub define: Option<Define>,
}

// How it is linked follows from its type, which a component's import has only
// one of; so what tells two of them apart is the rest.
impl PartialEq for Supplied {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Supplied {}

impl Supplied {
    fn key(&self) -> (&str, &str, bool) {
        (&self.interface, &self.function, self.waits)
    }
}

/// Links a function of a known shape under a name; `usize` is its index.
pub type Link = fn(&mut LinkerInstance<'_, StoreData>, &str, usize) -> wasmtime::Result<()>;

/// How to link a function of a known shape.
#[derive(Clone, Copy, Debug)]
pub struct Define {
    /// For an import that the guest waits for.
    pub plain: Link,
    /// For an `async` import.
    pub concurrent: Link,
}

/// An interface of the component that the embedder stands in for.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// The interface as the component names it.
    pub interface: String,
    /// Names there are on what was given, if some function was not among them.
    pub offers: Vec<String>,
}

// What it offers only words the refusal of a stand-in that lacks something.
impl PartialEq for StandIn {
    fn eq(&self, other: &Self) -> bool {
        self.interface == other.interface
    }
}

impl Eq for StandIn {}

/// What the embedder hands over with an instance.
#[derive(Clone)]
pub struct Supply<'a> {
    /// The functions, by index.
    pub functions: &'a [Supplied],
    /// The interfaces whose functions those are: each is the embedder's alone.
    pub interfaces: &'a [StandIn],
    /// Names the embedder gave that fit no import.
    pub unused: &'a [String],
    /// Runs the functions.
    pub embedder: Arc<dyn Embedder>,
    /// Serves the messaging of an actor's instance; there is none without.
    pub post: Option<Arc<dyn Post>>,
}

/// Type of the resources the embedder defines; `rep` is the embedder's own.
pub struct HostObject;

/// The result of a function that waited.
pub type Answer = Box<dyn Any + Send>;
/// A function that is waiting.
pub type Pending = Pin<Box<dyn Future<Output = wasmtime::Result<Answer>> + Send>>;

/// Runs what the embedder supplies. Every error ends the instance.
pub trait Embedder: Any + Send + Sync {
    /// Runs function `index` at once.
    ///
    /// # Errors
    ///
    /// Whatever the function failed with.
    fn call(
        &self,
        store: StoreContextMut<'_, StoreData>,
        index: usize,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()>;

    /// Starts function `index`, which may wait. Whoever still has the arguments
    /// keeps `held`, if there is one.
    ///
    /// # Errors
    ///
    /// Whatever the function failed with before it waited.
    fn start(
        &self,
        store: StoreContextMut<'_, StoreData>,
        index: usize,
        params: &[Val],
        held: Option<HeldBytes>,
    ) -> wasmtime::Result<Pending>;

    /// Turns what function `index` answered into its results.
    ///
    /// # Errors
    ///
    /// If the answer does not fit the function's type.
    fn finish(
        &self,
        store: StoreContextMut<'_, StoreData>,
        index: usize,
        answer: Answer,
        results: &mut [Val],
    ) -> wasmtime::Result<()>;

    /// Forgets the embedder's object `rep`: the guest dropped its last handle.
    fn drop_object(&self, rep: u32);
}

/// For components that import nothing from the embedder.
pub struct NoImports;

impl Embedder for NoImports {
    fn call(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        index: usize,
        _params: &[Val],
        _results: &mut [Val],
    ) -> wasmtime::Result<()> {
        Err(nothing(index))
    }

    fn start(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        index: usize,
        _params: &[Val],
        _held: Option<HeldBytes>,
    ) -> wasmtime::Result<Pending> {
        Err(nothing(index))
    }

    fn finish(
        &self,
        _store: StoreContextMut<'_, StoreData>,
        index: usize,
        _answer: Answer,
        _results: &mut [Val],
    ) -> wasmtime::Result<()> {
        Err(nothing(index))
    }

    fn drop_object(&self, _rep: u32) {}
}

fn nothing(index: usize) -> wasmtime::Error {
    HostFunctionFailed {
        function: format!("number {index}"),
        message: "the embedder supplied no functions".to_owned(),
        cause: None,
    }
    .into()
}

/// What stands in for `interface`, if the embedder gave something.
pub(super) fn stand_in<'a>(interfaces: &'a [StandIn], interface: &str) -> Option<&'a StandIn> {
    interfaces
        .iter()
        .find(|one| same_interface(&one.interface, interface))
}

/// Index of the function that stands for `interface#function`.
pub(super) fn position(supplied: &[Supplied], interface: &str, function: &str) -> Option<usize> {
    supplied
        .iter()
        .position(|one| same_interface(&one.interface, interface) && one.function == function)
}

// The version may be left out by the embedder, never by the component.
fn same_interface(given: &str, wanted: &str) -> bool {
    given == wanted
        || (!given.contains('@')
            && wanted
                .split_once('@')
                .is_some_and(|(bare, _)| bare == given))
}

/// `get-user` and `[method]session.get-user` as Python has them.
pub(super) fn snake_case(function: &str) -> String {
    let bare = function.rsplit(['.', ']']).next().unwrap_or(function);
    bare.replace('-', "_")
}

/// Runs what the embedder supplied. A guest with a stack of its own may run in
/// one of the runtime's few threads, and the embedder may take its time, or wait
/// for the runtime in turn: the other guests of that thread go on elsewhere.
pub fn aside<T>(own_stack: bool, run: impl FnOnce() -> T) -> T {
    if own_stack {
        tokio::task::block_in_place(|| on_guest_stack(run))
    } else {
        run()
    }
}

pub(super) fn define(
    instance: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
    supplied: &Supplied,
    is_async: bool,
) -> wasmtime::Result<()> {
    if let Some(define) = supplied.define {
        let link = if is_async {
            define.concurrent
        } else {
            define.plain
        };
        return link(instance, name, index);
    }
    if is_async {
        return concurrent::define(instance, name, index, supplied.waits);
    }
    if !supplied.waits {
        return instance.func_new(name, move |mut store, _, params, results| {
            let embedder = enter_host(&mut store, || bytes_of(params))?;
            let own_stack = store.data().has_own_stack();
            let store_now = store.as_context_mut();
            aside(own_stack, || {
                embedder.call(store_now, index, params, results)
            })?;
            leave_host(&mut store, || bytes_of(results))
        });
    }
    instance.func_new_async(name, move |mut store, _, params, results| {
        Box::new(async move {
            let embedder = enter_host(&mut store, || bytes_of(params))?;
            let now = store.as_context_mut();
            let pending = aside(true, || embedder.start(now, index, params, None))?;
            let answer = pending.await?;
            let now = store.as_context_mut();
            aside(true, || embedder.finish(now, index, answer, results))?;
            leave_host(&mut store, || bytes_of(results))
        })
    })
}

pub(super) fn define_resource(
    instance: &mut LinkerInstance<'_, StoreData>,
    name: &str,
) -> wasmtime::Result<()> {
    let ty = ResourceType::host::<HostObject>();
    instance.resource(name, ty, |mut store, rep| {
        let embedder = enter_host(&mut store, || 0)?;
        aside(store.data().has_own_stack(), || embedder.drop_object(rep));
        Ok(())
    })
}
