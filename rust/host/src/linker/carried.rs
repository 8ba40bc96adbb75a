//! WASI functions whose work grows with what they are asked for: what they carry
//! is noted, so that a guest whose fuel is counted pays for it.

use super::WasiState;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::random::{insecure, random};
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
        let bytes = self.ctx.random().get_random_bytes(len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.ctx.random().get_random_u64()
    }
}

impl insecure::Host for WasiState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = self.ctx.random().get_insecure_random_bytes(len)?;
        self.note(bytes.len());
        Ok(bytes)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.ctx.random().get_insecure_random_u64()
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
