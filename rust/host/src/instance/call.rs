//! Calls: what is called, how it is entered, and how it ends.

use super::data::{TICKS_PER_CHECK, Usage};
use super::future::CallFuture;
use super::slot::{Function, Held, Live, Owner, Taken};
use super::{Instance, StoreData, tariff, weigh};
use crate::engine::{Ticks, ticks};
use crate::error::{Error, Result};
use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};
use wasmtime::component::{ComponentNamedList, Lift, Lower, ResourceAny, TypedFunc, Val};
use wasmtime::{AsContextMut as _, Store};

/// How late a call may end after its deadline.
const LATENESS_MAX: Duration = Duration::from_millis(100);

/// What a call enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The export with this index in [`crate::component::Exports::list`].
    Export(usize),
    /// The destructor of a resource.
    Destructor,
}

/// Arguments on their way in, and the results they come back with.
pub trait Invocation: Send {
    /// What the call gives.
    type Output: Send;

    /// Calls on the current stack.
    ///
    /// # Errors
    ///
    /// Whatever ended the call.
    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<Self::Output>;

    /// Calls on a stack of its own, so that the guest can wait.
    fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> impl Future<Output = wasmtime::Result<Self::Output>> + Send;

    /// Bytes of the arguments.
    fn bytes_in(&self) -> u64;

    /// Bytes of the results.
    fn bytes_out(output: &Self::Output) -> u64;
}

/// How many bytes of payload a value carries across the boundary.
pub trait Weigh {
    /// Bytes of payload.
    fn bytes(&self) -> u64;
}

/// A function type known at compile time. Its implementor names the checked
/// signature, so that a function is checked for it once.
pub trait Signature: 'static {
    /// Parameters, borrowing what they may.
    type Params<'a>: ComponentNamedList + Lower + Weigh + Send + Sync;
    /// Results.
    type Return: ComponentNamedList + Lift + Weigh + Send + Sync + 'static;
}

/// A call with statically typed arguments and results.
pub struct Typed<'a, S: Signature> {
    params: S::Params<'a>,
}

impl<'a, S: Signature> Typed<'a, S> {
    /// A call with these arguments.
    pub fn new(params: S::Params<'a>) -> Self {
        Self { params }
    }

    /// The function, checked against the signature the first time.
    #[inline]
    fn checked(
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<TypedFunc<S::Params<'a>, S::Return>> {
        let function = function.ok_or_else(no_function)?;
        let signature = TypeId::of::<S>();
        if function.checked != Some(signature) {
            function.func.typed::<S::Params<'a>, S::Return>(store)?;
            function.checked = Some(signature);
        }
        // SAFETY: this very function was checked against `S`, just now or by an
        // earlier call, and `S` fixes both types but for their lifetimes.
        Ok(unsafe { TypedFunc::new_unchecked(function.func) })
    }
}

impl<S: Signature> Invocation for Typed<'_, S> {
    type Output = S::Return;

    #[inline]
    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<S::Return> {
        let typed = Self::checked(store, function)?;
        typed.call(store, self.params)
    }

    async fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<S::Return> {
        let typed = Self::checked(store, function)?;
        typed.call_async(store, self.params).await
    }

    fn bytes_in(&self) -> u64 {
        self.params.bytes()
    }

    fn bytes_out(output: &S::Return) -> u64 {
        output.bytes()
    }
}

/// A call with values whose types are known at run time only.
pub struct Dynamic {
    params: Vec<Val>,
    results: usize,
}

impl Dynamic {
    /// A call with these arguments and this number of results.
    pub fn new(params: Vec<Val>, results: usize) -> Self {
        Self { params, results }
    }

    fn room(&self) -> Vec<Val> {
        vec![Val::Bool(false); self.results]
    }
}

impl Invocation for Dynamic {
    type Output = Vec<Val>;

    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<Vec<Val>> {
        let function = function.ok_or_else(no_function)?;
        let mut results = self.room();
        function.func.call(store, &self.params, &mut results)?;
        Ok(results)
    }

    async fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<Vec<Val>> {
        let function = function.ok_or_else(no_function)?;
        let mut results = self.room();
        function
            .func
            .call_async(store, &self.params, &mut results)
            .await?;
        Ok(results)
    }

    fn bytes_in(&self) -> u64 {
        weigh::values(&self.params)
    }

    fn bytes_out(output: &Vec<Val>) -> u64 {
        weigh::values(output)
    }
}

/// Drops a resource of the guest.
pub(super) struct DropResource(pub(super) ResourceAny);

impl Invocation for DropResource {
    type Output = ();

    fn call(
        self,
        store: &mut Store<StoreData>,
        _function: Option<&mut Function>,
    ) -> wasmtime::Result<()> {
        self.0.resource_drop(store)
    }

    async fn call_async(
        self,
        store: &mut Store<StoreData>,
        _function: Option<&mut Function>,
    ) -> wasmtime::Result<()> {
        self.0.resource_drop_async(store).await
    }

    fn bytes_in(&self) -> u64 {
        0
    }

    fn bytes_out((): &()) -> u64 {
        0
    }
}

fn no_function() -> wasmtime::Error {
    wasmtime::Error::msg("the call names no function")
}

/// An instance taken for one call.
pub struct Lease<'a> {
    instance: &'a Instance,
    held: Held<'a>,
    queued_ticks: u64,
}

impl Instance {
    /// Takes the instance for one call, or `None` while another call has it.
    ///
    /// # Errors
    ///
    /// [`Error::InstanceClosed`]; [`Error::Reentrant`] if the call that has it
    /// runs on this thread, beneath us; [`Error::CapacityExhausted`] if the thread
    /// has too little stack for a guest; [`Error::Engine`] after a fork.
    #[inline]
    pub fn enter(&self, target: Target) -> Result<Option<Lease<'_>>> {
        self.component.engine().refuse_forked()?;
        crate::stack::require_room()?;
        match self.slot.take(Owner::this_thread())? {
            Taken::Held(held) => Ok(Some(Lease {
                instance: self,
                held,
                queued_ticks: 0,
            })),
            Taken::Mine => Err(self.reentrant(target)),
            Taken::Busy => Ok(None),
        }
    }

    /// What a caller gets whom the running call waits for.
    pub fn reentrant(&self, target: Target) -> Error {
        Error::Reentrant {
            component: self.component.name().to_owned(),
            export: self.target_name(target),
        }
    }

    /// What a caller gets who waited for as long as a call may last.
    pub fn busy(&self, target: Target) -> Error {
        Error::Busy {
            component: self.component.name().to_owned(),
            export: self.target_name(target),
            call_seconds_max: self.limits.call_max.as_secs_f64(),
        }
    }

    /// How long a caller waits for its turn: longer than any call that has the
    /// instance may still last, so that the end of that call is what it hears of.
    pub fn turn_max(&self) -> Duration {
        self.limits.call_max + LATENESS_MAX
    }

    /// Waits until the instance may be free, at most `most`.
    pub fn wait_idle(&self, most: Duration) {
        self.slot.wait(most);
    }

    /// Starts a call that may wait.
    pub fn start<I>(self: &Arc<Self>, target: Target, invocation: I) -> CallFuture<I::Output>
    where
        I: Invocation + 'static,
    {
        let instance = Arc::clone(self);
        let number = self.roamed.fetch_add(1, Ordering::Relaxed) + 1;
        let future = Box::pin(async move {
            instance.component.engine().refuse_forked()?;
            let lease = match instance.slot.take(Owner::roaming())? {
                Taken::Held(held) => Lease {
                    instance: &instance,
                    held,
                    queued_ticks: 0,
                },
                // Set apart: few calls wait, and all would carry the room for it.
                Taken::Mine | Taken::Busy => Box::pin(instance.queue(target)).await?,
            };
            instance.roaming.store(number, Ordering::SeqCst);
            lease.run_async(target, invocation).await
        });
        CallFuture::new(future, Arc::clone(self), number)
    }

    /// Waits for its turn.
    async fn queue(&self, target: Target) -> Result<Lease<'_>> {
        let began = Ticks::now();
        let deadline = Instant::now() + self.turn_max();
        let turn = pin!(self.slot.take_async());
        let Some(held) = within(|| deadline, turn).await else {
            return Err(self.busy(target));
        };
        Ok(Lease {
            instance: self,
            held: held?,
            queued_ticks: Ticks::now().since(began),
        })
    }

    pub(super) fn target_name(&self, target: Target) -> String {
        match target {
            Target::Export(index) => self.component.exports().list()[index].name.clone(),
            Target::Destructor => "a resource destructor".to_owned(),
        }
    }
}

impl Lease<'_> {
    /// Notes how long the caller waited for the instance.
    pub fn queued(&mut self, queued: Duration) {
        self.queued_ticks = ticks(queued);
    }

    /// Runs a call on the current stack.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`]; the instance is closed then.
    #[inline]
    pub fn run<I: Invocation>(mut self, target: Target, invocation: I) -> Result<I::Output> {
        let bytes_in = invocation.bytes_in();
        let live = &mut *self.held;
        let began = live.begin(target, false);
        if let Err(error) = live.drop_abandoned(self.instance) {
            return self.finish::<I>(Target::Destructor, bytes_in, Err(error));
        }
        let Live {
            store, functions, ..
        } = live;
        let ended = began.and_then(|()| invocation.call(store, function_mut(functions, target)));
        self.finish::<I>(target, bytes_in, ended)
    }

    // The store stays in the lease, so that a call dropped half-way closes the
    // instance.
    async fn run_async<I: Invocation>(
        mut self,
        target: Target,
        invocation: I,
    ) -> Result<I::Output> {
        let bytes_in = invocation.bytes_in();
        let began = self.held.begin(target, true);
        let clock = self.held.store.data().clock();
        let mut running = Target::Destructor;
        let ended = {
            let abandoned = self.instance.abandoned.take();
            let live = &mut *self.held;
            let call = pin!(async {
                for resource in abandoned {
                    resource.resource_drop_async(&mut live.store).await?;
                }
                running = target;
                began?;
                let function = function_mut(&mut live.functions, target);
                invocation.call_async(&mut live.store, function).await
            });
            within(|| clock.deadline(), call).await
        };
        let ended = ended.unwrap_or_else(|| Err(clock.deadline_passed().into()));
        // Before it is given back: whoever gives this call up must not close the next one's.
        if self.instance.roaming.swap(0, Ordering::SeqCst) == 0 {
            // That has just happened, and closes this one.
            self.instance.slot.close();
        }
        self.finish::<I>(running, bytes_in, ended)
    }

    #[inline]
    fn finish<I: Invocation>(
        mut self,
        target: Target,
        bytes_in: u64,
        mut ended: wasmtime::Result<I::Output>,
    ) -> Result<I::Output> {
        if self.held.fuel_max.is_some() && ended.is_ok() {
            let settled = tariff::settle(&mut self.held.store);
            ended = settled.and(ended);
        }
        let mut usage = Usage {
            bytes_in,
            queued_ticks: self.queued_ticks,
            ..self.held.usage()
        };
        let late = self.held.store.data().is_past_deadline(usage.run_ticks);
        match ended {
            Ok(_) if late => {
                let passed = self.held.store.data().deadline_passed();
                Err(self.fail(target, usage, passed.into()))
            }
            Ok(output) => {
                usage.bytes_out = I::bytes_out(&output);
                self.held.give_back(usage);
                Ok(output)
            }
            Err(error) => Err(self.fail(target, usage, error)),
        }
    }

    #[cold]
    fn fail(self, target: Target, usage: Usage, error: wasmtime::Error) -> Error {
        let failed = self
            .instance
            .failed(error, &self.instance.target_name(target), &self.held);
        self.held.fail(failed.to_string(), usage);
        failed
    }
}

fn function_mut(functions: &mut [Option<Function>], target: Target) -> Option<&mut Function> {
    match target {
        Target::Export(index) => functions.get_mut(index)?.as_mut(),
        Target::Destructor => None,
    }
}

// A call that ends at once touches neither the timer nor the clock behind it.
async fn within<F: Future>(
    deadline: impl FnOnce() -> Instant,
    mut call: Pin<&mut F>,
) -> Option<F::Output> {
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
        return Some(output);
    }
    tokio::time::timeout_at(deadline().into(), call).await.ok()
}

impl Live {
    /// Sets the meters and looks the function up.
    #[inline]
    fn begin(&mut self, target: Target, may_yield: bool) -> wasmtime::Result<()> {
        self.store.data_mut().start_call(may_yield);
        self.store.set_epoch_deadline(TICKS_PER_CHECK);
        if let Some(fuel) = self.fuel_max {
            self.store.set_fuel(fuel)?;
        }
        match target {
            Target::Export(index) if self.functions[index].is_none() => self.find(index),
            _ => Ok(()),
        }
    }

    /// Drops the resources that nobody holds any more; their destructors count
    /// for this call.
    #[inline]
    fn drop_abandoned(&mut self, instance: &Instance) -> wasmtime::Result<()> {
        if instance.abandoned.is_empty() {
            return Ok(());
        }
        let abandoned = instance.abandoned.take();
        abandoned
            .into_iter()
            .try_for_each(|resource| resource.resource_drop(&mut self.store))
    }

    #[cold]
    fn find(&mut self, index: usize) -> wasmtime::Result<()> {
        let export = self.exports[index];
        let func = self
            .instance
            .get_func(self.store.as_context_mut(), export)
            .ok_or_else(|| wasmtime::Error::msg("the export is not a function"))?;
        self.functions[index] = Some(Function {
            func,
            checked: None,
        });
        Ok(())
    }

    #[inline]
    pub(super) fn usage(&self) -> Usage {
        let mut usage = self.store.data().usage();
        if let Some(most) = self.fuel_max {
            usage.fuel = self
                .store
                .get_fuel()
                .ok()
                .map(|left| most.saturating_sub(left));
        }
        usage
    }
}
