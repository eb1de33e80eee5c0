//! The device's own data on its way to the cloud: handed over by the application, kept until the broker has it, and sent
//! again over the next connection where it has not. So an outage costs no message, nor does a new certificate.

use std::collections::VecDeque;

use tokio::sync::mpsc;

/// Messages that may wait, and as many that may be on their way; who hands over more has to wait.
const CAPACITY: usize = 100;

/// Where the application hands over messages for the device's topic. Clones hand over to the same device.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<Vec<u8>>);

/// The device has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device has ended")]
pub struct Ended;

impl Outbox {
    /// Hands over a message; waits while too many are on their way. They reach the broker in this order, at least once
    /// each.
    ///
    /// # Errors
    /// [`Ended`] if the device has.
    pub async fn send(&self, payload: impl Into<Vec<u8>>) -> Result<(), Ended> {
        self.0.send(payload.into()).await.map_err(|_| Ended)
    }
}

/// What was handed over and is not at the broker yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    handed_over: mpsc::Receiver<Vec<u8>>,
    /// Numbered, in the order in which they were handed over.
    kept: VecDeque<(u64, Vec<u8>)>,
    /// How many of them went out over the present connection.
    sent: usize,
    numbers: u64,
}

impl Outgoing {
    pub(crate) fn new() -> (Outbox, Self) {
        let (sender, handed_over) = mpsc::channel(CAPACITY);
        (Outbox(sender), Self { handed_over, kept: VecDeque::new(), sent: 0, numbers: 0 })
    }

    /// The next message to send over the present connection, with its number; waits until there is one.
    ///
    /// May be dropped before it is ready; no message is lost by that.
    pub(crate) async fn next(&mut self) -> (u64, Vec<u8>) {
        if self.sent == self.kept.len() {
            let payload = match self.kept.len() {
                CAPACITY.. => None,
                _ => self.handed_over.recv().await,
            };
            let Some(payload) = payload else { return std::future::pending().await };
            self.kept.push_back((self.numbers, payload));
            self.numbers += 1;
        }
        self.sent += 1;
        self.kept[self.sent - 1].clone()
    }

    /// The broker has this one.
    pub(crate) fn taken(&mut self, number: u64) {
        let Ok(at) = self.kept.binary_search_by_key(&number, |(number, _)| *number) else { return };
        self.kept.remove(at);
        self.sent -= usize::from(at < self.sent);
    }

    /// There is a new connection: what the broker has not acknowledged goes out once more.
    pub(crate) const fn begin_again(&mut self) {
        self.sent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_broker_has_not_acknowledged_goes_out_again_in_its_order() {
        let (outbox, mut outgoing) = Outgoing::new();
        for payload in ["a", "b", "c"] {
            outbox.send(payload).await.unwrap();
        }
        for expected in ["a", "b"] {
            assert_eq!(outgoing.next().await.1, expected.as_bytes());
        }
        outgoing.taken(0);
        outgoing.begin_again();
        for (number, expected) in [(1, "b"), (2, "c")] {
            assert_eq!(outgoing.next().await, (number, expected.as_bytes().to_vec()));
        }
        outgoing.taken(2);
        outgoing.taken(2);
        outgoing.begin_again();
        assert_eq!(outgoing.next().await, (1, b"b".to_vec()));
    }

    #[tokio::test]
    async fn a_device_that_has_ended_says_so() {
        let (outbox, outgoing) = Outgoing::new();
        drop(outgoing);
        assert_eq!(outbox.send("a").await, Err(Ended));
    }
}
