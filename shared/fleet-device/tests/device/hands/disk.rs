//! The part of the hands that keeps what the device remembers, on a disk that may be full.

use fleet::message::CertificateRequest;
use fleet_device::machine::Login;
use fleet_device::memory::Memory;

use super::Hands;

impl Hands {
    /// The disk takes nothing any more, once it has taken so many memories.
    pub fn fill_disk_after(&mut self, memories: usize) {
        self.room = memories;
    }

    /// The disk takes everything again.
    pub fn free_disk(&mut self) {
        (self.disk_error, self.room) = (None, usize::MAX);
    }

    pub(super) fn store(&mut self, memory: &Memory) -> Result<(), String> {
        if self.room == 0 {
            self.disk_error = Some("it is full".to_owned());
        }
        if let Some(why) = &self.disk_error {
            return Err(why.clone());
        }
        self.room -= 1;
        self.disk = serde_json::to_vec(memory).unwrap();
        Ok(())
    }

    pub(super) fn assert_asks_with_what_it_has(&self, topic: &str, payload: &[u8]) {
        if topic.ends_with("/certificate/request") {
            let asked: CertificateRequest = serde_json::from_slice(payload).unwrap();
            let stored = self.memory().renewal.map(|renewal| renewal.request.csr);
            assert_eq!(Some(asked.csr), stored, "asks for a key that is not on disk");
        }
    }

    pub(super) fn assert_comes_with_what_it_has(&self, login: &Login) {
        if let Login::Device(own) = login {
            let memory = self.memory();
            let stored = [memory.current.as_ref(), memory.unproven(), memory.renewed()];
            assert!(stored.contains(&Some(own)), "comes with a certificate that is not on disk");
        }
    }
}
