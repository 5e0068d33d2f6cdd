//! What comes in for a request while it is open. Bytes are bounded by the credit that was granted,
//! so nothing here has to wait, and controls overtake them.

use crate::processes::wire::Control;
use bytes::Bytes;
use tokio::sync::mpsc;

/// The request's end.
pub(super) struct Input {
    /// Ends with the input.
    pub(super) data: mpsc::UnboundedReceiver<Bytes>,
    pub(super) controls: mpsc::UnboundedReceiver<Control>,
}

/// The desk's end.
pub(super) struct Inlet {
    data: Option<mpsc::UnboundedSender<Bytes>>,
    controls: mpsc::UnboundedSender<Control>,
}

/// Both ends.
pub(super) fn channel() -> (Inlet, Input) {
    let (data, taken) = mpsc::unbounded_channel();
    let (controls, heard) = mpsc::unbounded_channel();
    let inlet = Inlet {
        data: Some(data),
        controls,
    };
    let input = Input {
        data: taken,
        controls: heard,
    };
    (inlet, input)
}

impl Inlet {
    /// Passes bytes on. A request that takes no more of them drops them.
    pub(super) fn data(&self, bytes: Bytes) {
        if let Some(data) = &self.data {
            data.send(bytes).unwrap_or(());
        }
    }

    /// No more bytes come.
    pub(super) fn finish(&mut self) {
        self.data = None;
    }

    pub(super) fn control(&self, control: Control) {
        self.controls.send(control).unwrap_or(());
    }
}
