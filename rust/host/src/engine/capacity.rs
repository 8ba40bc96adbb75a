//! How many live instances this machine can really hold.

use super::{Density, EngineOptions};

/// Mappings a live instance takes: image, heap, and the rest of its slot.
const MAPS_STANDARD: u64 = 3;
/// Mappings the process needs besides its instances.
const MAPS_RESERVED: u64 = 2_000;
/// Instances whose neighbouring dense slots share one mapping on average;
/// measured: 100 000 instances in about 4 000 mappings.
const DENSE_PER_MAP: u64 = 20;

/// The real ceiling, and what sets it.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Live instances the engine will accept.
    pub instances_max: usize,
    /// Live instances the kernel's map count leaves room for, where known.
    pub instances_by_map_count: Option<u64>,
    /// `vm.max_map_count`, where the system has it.
    pub map_count_max: Option<u64>,
}

impl Capacity {
    pub(super) fn probe(options: &EngineOptions) -> Capacity {
        let map_count_max = map_count_max();
        let by_maps = map_count_max.map(|maps| {
            let free = maps.saturating_sub(MAPS_RESERVED);
            match options.density {
                Density::Standard => free / MAPS_STANDARD,
                Density::Dense { .. } => free * DENSE_PER_MAP,
            }
        });
        let wanted = options.instances_max;
        let possible = by_maps.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        Capacity {
            instances_max: wanted.min(possible),
            instances_by_map_count: by_maps,
            map_count_max,
        }
    }
}

fn map_count_max() -> Option<u64> {
    std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()?
        .trim()
        .parse()
        .ok()
}
