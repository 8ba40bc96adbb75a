//! Criterion's view of the hot paths: the host beside the bare crate.

use airssys_bench::bare::{self, Interruption, Live};
use airssys_bench::guests::{self, ECHO_API};
use airssys_bench::{Result, ours};
use criterion::{BenchmarkId, Criterion, Throughput};

const SIZES: [usize; 3] = [64, 1024, 64 * 1024];

fn main() -> Result<()> {
    if ours::served_as_compile_worker()? {
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    calls(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn calls(criterion: &mut Criterion) -> Result<()> {
    let guest = guests::prebuilt("echo")?;
    let component = ours::engine(None)?.load("echo", &guest)?;
    let instance = ours::instance(&component, false, ours::no_imports())?;
    let add = ours::target(&component, &format!("{ECHO_API}#add"))?;
    let echo = ours::target(&component, &format!("{ECHO_API}#echo-bytes"))?;
    let engine = bare::engine(Interruption::Epochs)?;
    let mut live = Live::new(&engine, &guest, Interruption::Epochs)?;
    let bare_add = live.function::<(i32, i32), (i32,)>(Some(ECHO_API), "add")?;
    let bare_echo = live.function::<(&[u8],), (Vec<u8>,)>(Some(ECHO_API), "echo-bytes")?;

    let mut group = criterion.benchmark_group("scalar");
    group.bench_function("ours", |b| {
        b.iter(|| ours::call::<ours::Add>(&instance, add, (1, 2)).expect("adding cannot fail"));
    });
    group.bench_function("bare", |b| {
        b.iter(|| {
            bare_add
                .call(&mut live.store, (1, 2))
                .expect("adding cannot fail")
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("echo");
    for size in SIZES {
        let data = vec![7_u8; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::new("ours", size), &data, |b, data| {
            b.iter(|| ours::call::<ours::Echo>(&instance, echo, (data,)).expect("it fits"));
        });
        group.bench_with_input(BenchmarkId::new("bare", size), &data, |b, data| {
            b.iter(|| {
                bare_echo
                    .call(&mut live.store, (data.as_slice(),))
                    .expect("it fits")
            });
        });
    }
    group.finish();
    spawn(criterion, &guest)
}

fn spawn(criterion: &mut Criterion, guest: &[u8]) -> Result<()> {
    let component = ours::engine(None)?.load("echo", guest)?;
    let engine = bare::engine(Interruption::Epochs)?;
    let pre = bare::prelink(&engine, guest)?;
    let mut group = criterion.benchmark_group("spawn");
    group.bench_function("ours", |b| {
        b.iter(|| ours::instance(&component, false, ours::no_imports()).expect("it fits"));
    });
    group.bench_function("bare", |b| {
        b.iter(|| {
            let mut store = bare::store(&engine, Interruption::Epochs).expect("no fuel is set");
            pre.instantiate(&mut store).expect("it fits");
        });
    });
    group.finish();
    Ok(())
}
