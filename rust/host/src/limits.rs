//! Hard limits of one instance, and the limiter that enforces memory.

use crate::error::{Error, Result};
use crate::instance::Watch;
use crate::trap::Interrupted;
use std::time::Duration;
use wasmtime::ResourceLimiter;

/// Bytes one table element costs the host.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();
/// Elements that a table of the pool has room for. More room would spread the
/// tables of all instances over more pages of page table, 4 KiB for each.
pub const POOLED_TABLE_ELEMENTS_MAX: usize = 20_000;
/// Smallest memory limit: one WebAssembly page.
pub const MEMORY_BYTES_MIN: usize = 64 * 1024;
/// Largest memory limit any policy may allow: what 32-bit memories can address.
pub const MEMORY_BYTES_CEILING: usize = 4 * 1024 * 1024 * 1024;
/// Shortest deadline of a call.
pub const CALL_SECONDS_MIN: f64 = 0.001;
/// Smallest fuel budget of a call.
pub const FUEL_MIN: u64 = 1;
/// Bytes a guest may hand to the host in one host call or result, even if its
/// memory is larger.
pub const HOSTCALL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Live component-model handles of one instance.
pub const HANDLES_MAX: usize = 4_096;
/// Tasks, threads, waitable sets and ends of streams and futures of one instance,
/// held by a handle or not, at 400 bytes each. A stream is three of them and a task
/// that waits two, so handles run out first. But a task of one component inside
/// another that answers at once keeps its entry as long as the instance lives.
pub const CONCURRENT_ENTRIES_MAX: usize = 16 * HANDLES_MAX;
/// Bytes of globals and function records that any instance may cost the host,
/// even under a smaller memory limit.
pub const FOOTPRINT_BYTES_FREE: u64 = 1024 * 1024;
/// Core instances one component instance may create.
pub const CORE_INSTANCES_MAX: usize = 100;
/// The same for a component with component-model async: each of them can hold a
/// task up, and a task that is held up keeps its stack of up to half a mebibyte.
pub const CONCURRENT_CORE_INSTANCES_MAX: usize = 32;
/// Memories one component instance may create.
pub const MEMORIES_MAX: usize = 50;
/// Tables one component instance may create.
pub const TABLES_MAX: usize = 50;

/// What one instance may use. Both fields without an `Option` are mandatory:
/// there is no unlimited instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// All memories and tables of the instance together, in bytes.
    pub memory_bytes_max: usize,
    /// Wall-clock time of one call.
    pub call_max: Duration,
    /// Deterministic fuel of one call, or `None` to leave fuel unmetered.
    pub fuel_max: Option<u64>,
}

/// The upper ends that an engine allows for [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Ceiling of `Limits::memory_bytes_max`.
    pub memory_bytes_ceiling: usize,
    /// Ceiling of `Limits::call_max`, in seconds.
    pub call_seconds_ceiling: f64,
    /// Ceiling of `Limits::fuel_max`.
    pub fuel_ceiling: u64,
}

impl Limits {
    /// Checks raw figures against `policy`.
    ///
    /// # Errors
    ///
    /// [`Error::LimitInvalid`] naming the figure, the range and what to do.
    pub fn new(
        memory_bytes_max: i128,
        call_seconds_max: f64,
        fuel_max: Option<i128>,
        policy: &Policy,
    ) -> Result<Limits> {
        within(
            "memory_bytes_max",
            memory_bytes_max,
            MEMORY_BYTES_MIN as i128,
            policy.memory_bytes_ceiling as i128,
        )?;
        if !(CALL_SECONDS_MIN..=policy.call_seconds_ceiling).contains(&call_seconds_max) {
            return Err(out_of_range(
                "call_seconds_max",
                call_seconds_max,
                call_seconds_max >= 2f64.powi(63),
                CALL_SECONDS_MIN,
                policy.call_seconds_ceiling,
            ));
        }
        if let Some(fuel) = fuel_max {
            within(
                "fuel_max",
                fuel,
                FUEL_MIN.into(),
                policy.fuel_ceiling.into(),
            )?;
        }
        Ok(Limits {
            // Both lie inside the policy's range, checked above.
            memory_bytes_max: usize::try_from(memory_bytes_max).unwrap_or(MEMORY_BYTES_MIN),
            call_max: Duration::from_secs_f64(call_seconds_max),
            fuel_max: fuel_max.map(|fuel| u64::try_from(fuel).unwrap_or(FUEL_MIN)),
        })
    }
}

fn within(name: &str, value: i128, low: i128, high: i128) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(out_of_range(name, value, value >= 1 << 63, low, high))
}

/// A `vast` value may have hundreds of digits, or stand for one that has.
fn out_of_range<N: std::fmt::Display>(name: &str, value: N, vast: bool, low: N, high: N) -> Error {
    let value = if vast {
        "2**63 or more".to_owned()
    } else {
        value.to_string()
    };
    Error::LimitInvalid(format!(
        "{name}: {value} is outside {low} to {high}; \
         hint: the upper end is the engine's policy, Engine(policy=Policy(...))"
    ))
}

/// Counts every byte of every memory and table of a store against one limit.
pub struct MemoryMeter {
    limit: usize,
    used: usize,
    peak: usize,
    denied: u64,
    denied_in_call: bool,
    watch: Option<Watch>,
    core_instances_max: usize,
}

impl MemoryMeter {
    /// A meter that allows `limit` bytes, and tells `watch` how near they are.
    pub(crate) fn new(limit: usize, watch: Option<Watch>) -> Self {
        Self {
            watch,
            limit,
            used: 0,
            peak: 0,
            denied: 0,
            denied_in_call: false,
            core_instances_max: CORE_INSTANCES_MAX,
        }
    }

    /// Lets the store make fewer core instances than usual.
    pub(crate) fn limit_core_instances(&mut self, most: usize) {
        self.core_instances_max = most;
    }

    /// Forgets what the previous call was denied.
    pub fn start_call(&mut self, own_stack: bool) {
        self.denied_in_call = false;
        if let Some(watch) = &mut self.watch {
            watch.start_call(own_stack);
        }
    }

    /// Bytes allowed.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes in use now.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Most bytes ever in use.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Growths refused so far.
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// Tells whether a growth was refused since [`MemoryMeter::start_call`].
    pub fn denied_in_call(&self) -> bool {
        self.denied_in_call
    }

    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(desired.saturating_sub(current));
        if self
            .watch
            .as_ref()
            .is_some_and(|watch| !watch.look(wanted, self.limit))
        {
            return Err(Interrupted.into());
        }
        if wanted > self.limit {
            self.denied += 1;
            self.denied_in_call = true;
            return Ok(false);
        }
        self.used = wanted;
        self.peak = self.peak.max(wanted);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A growth past the memory's own maximum fails without our help and
        // must not be charged.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(true);
        }
        self.grow(current, desired)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(true);
        }
        let current = current.saturating_mul(TABLE_ELEMENT_BYTES);
        self.grow(current, desired.saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn instances(&self) -> usize {
        self.core_instances_max
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        memory_bytes_ceiling: 1 << 28,
        call_seconds_ceiling: 300.0,
        fuel_ceiling: 100,
    };

    fn refusal(memory: i128, seconds: f64, fuel: i128) -> String {
        let refused = Limits::new(memory, seconds, Some(fuel), &POLICY);
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_figure_out_of_range_is_named_as_it_is_given() {
        assert!(refusal(65_535, 1.0, 1).contains("memory_bytes_max: 65535 is outside 65536 to"));
        assert!(refusal(65_536, 300.5, 1).contains("call_seconds_max: 300.5 is outside"));
        assert!(refusal(65_536, f64::NAN, 1).contains("call_seconds_max: NaN is outside"));
        assert!(refusal(65_536, 1.0, -1).contains("fuel_max: -1 is outside"));
        let last = i128::from(i64::MAX);
        assert!(refusal(last, 1.0, 1).contains("_max: 9223372036854775807 is outside"));
    }

    #[test]
    fn a_figure_past_63_bits_is_not_spelled_out() {
        for vast in [1 << 63, i128::MAX] {
            assert!(refusal(vast, 1.0, 1).contains("memory_bytes_max: 2**63 or more is outside"));
            assert!(refusal(65_536, 1.0, vast).contains("fuel_max: 2**63 or more is outside"));
        }
        for vast in [2f64.powi(63), f64::MAX, f64::INFINITY] {
            let refused = refusal(65_536, vast, 1);
            assert!(refused.contains("call_seconds_max: 2**63 or more is outside"));
        }
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.table_growing(0, 6, None).unwrap());
        assert!(meter.table_growing(0, 5, None).unwrap());
        assert_eq!((meter.used(), meter.denied()), (100, 1));
    }

    #[test]
    fn a_growth_past_the_memorys_own_maximum_is_not_charged() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 60, Some(50)).unwrap());
        assert_eq!((meter.used(), meter.denied()), (0, 0));
    }

    #[test]
    fn growth_near_the_end_of_the_address_space_is_refused_not_wrapped() {
        let mut meter = MemoryMeter::new(usize::MAX - 1, None);
        assert!(meter.memory_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(0, usize::MAX, None).unwrap());
    }
}
