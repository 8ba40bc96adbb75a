//! WASI functions whose work grows with what they are asked for: what they carry
//! is noted, so that a guest whose fuel is counted pays for it.

use super::WasiState;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::p3::bindings::random as p3;
use wasmtime_wasi_io::bindings::wasi::io::poll;
use wasmtime_wasi_io::poll::DynPollable;

/// Bytes of a handle in a list.
const HANDLE_BYTES: usize = 4;

pub(super) struct Noted;

impl HasData for Noted {
    type Data<'a> = &'a mut WasiState;
}

impl random::Host for WasiState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = random::Host::get_random_bytes(self.ctx.random(), len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        random::Host::get_random_u64(self.ctx.random())
    }
}

impl insecure::Host for WasiState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = insecure::Host::get_insecure_random_bytes(self.ctx.random(), len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        insecure::Host::get_insecure_random_u64(self.ctx.random())
    }
}

// WASI 0.3 gives as much as may be asked for at once, where 0.2 traps.
impl p3::random::Host for WasiState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = p3::random::Host::get_random_bytes(self.ctx.random(), len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        p3::random::Host::get_random_u64(self.ctx.random())
    }
}

impl p3::insecure::Host for WasiState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = p3::insecure::Host::get_insecure_random_bytes(self.ctx.random(), len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        p3::insecure::Host::get_insecure_random_u64(self.ctx.random())
    }
}

impl poll::Host for WasiState {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.note(pollables.len() * HANDLE_BYTES);
        self.table.poll(pollables).await
    }
}

impl poll::HostPollable for WasiState {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.table.ready(pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.table.block(pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(&mut self.table, pollable)
    }
}
