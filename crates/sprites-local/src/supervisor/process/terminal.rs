//! A pseudo-terminal. The near end stays here; the far end becomes the process's streams. Within the
//! walls of the Landlock tier no terminal can be opened, for one who could would open those of
//! others too; there the warden, who stands outside, makes them and hands them in.

use crate::processes::wire::WireSize;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    pty::{OpenptyResult, Winsize, openpty},
    sys::socket::{
        AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
        recvmsg, sendmsg, setsockopt, socketpair, sockopt::ReceiveTimeout,
    },
    sys::time::{TimeVal, TimeValLike as _},
    unistd::{read, write},
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
};

/// How long the warden may take, in seconds; it has nothing else to do.
const PATIENCE: i64 = 5;

/// Both ends of a new terminal, near and far; from `lender` where there is one.
pub(super) fn open(size: WireSize, lender: Option<&Lender>) -> io::Result<(Terminal, OwnedFd)> {
    let (near, far) = match lender {
        Some(lender) => lender.borrow()?,
        None => make()?,
    };
    fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let terminal = Terminal { near };
    terminal.resize(size)?;
    Ok((terminal, far))
}

fn make() -> nix::Result<(OwnedFd, OwnedFd)> {
    let OpenptyResult { master, slave } = openpty(None, None)?;
    for end in [&master, &slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok((master, slave))
}

/// The near end.
pub(super) struct Terminal {
    near: OwnedFd,
}

impl Terminal {
    /// Another descriptor of it.
    pub(super) fn share(&self) -> io::Result<OwnedFd> {
        self.near.try_clone()
    }

    #[expect(unsafe_code, reason = "no wrapper for this ioctl")]
    pub(super) fn resize(&self, size: WireSize) -> io::Result<()> {
        let size = Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let number = self.near.as_raw_fd();
        // SAFETY: the pointer is to a local of the type this request reads.
        let done = unsafe { libc::ioctl(number, libc::TIOCSWINSZ, &raw const size) };
        Errno::result(done)?;
        Ok(())
    }
}

/// Where terminals come from: an end of a socket, one question and one answer at a time.
pub(in crate::supervisor) struct Lender(OwnedFd);

/// The supervisor's end and the warden's.
pub(in crate::supervisor) fn lending() -> nix::Result<(Lender, Lender)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (one, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    setsockopt(&one, ReceiveTimeout, &TimeVal::seconds(PATIENCE))?;
    Ok((Lender(one), Lender(other)))
}

impl Lender {
    /// Answers until the other end is gone.
    pub(in crate::supervisor) fn lend(&self) {
        while let Ok(1..) = read(&self.0, &mut [0]) {
            let answered = match make() {
                Ok((near, far)) => {
                    let ends = [near.as_raw_fd(), far.as_raw_fd()];
                    sendmsg::<UnixAddr>(
                        self.0.as_raw_fd(),
                        &[IoSlice::new(&[0])],
                        &[ControlMessage::ScmRights(&ends)],
                        MsgFlags::empty(),
                        None,
                    )
                }
                Err(error) => write(&self.0, &(error as i32).to_le_bytes()),
            };
            if answered.is_err() {
                return;
            }
        }
    }

    #[expect(unsafe_code, reason = "descriptors arrive as bare numbers")]
    fn borrow(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        write(&self.0, &[0])?;
        let mut said = [0; 4];
        let mut room = nix::cmsg_space!([RawFd; 2]);
        let mut ends = Vec::new();
        let length = {
            let mut pieces = [IoSliceMut::new(&mut said)];
            let answer = recvmsg::<UnixAddr>(
                self.0.as_raw_fd(),
                &mut pieces,
                Some(&mut room),
                MsgFlags::MSG_CMSG_CLOEXEC,
            )?;
            for message in answer.cmsgs()? {
                if let ControlMessageOwned::ScmRights(numbers) = message {
                    // SAFETY: the kernel made these numbers for us just now.
                    let owned = |number| unsafe { OwnedFd::from_raw_fd(number) };
                    ends.extend(numbers.into_iter().map(owned));
                }
            }
            answer.bytes
        };
        let mut ends = ends.into_iter();
        match (ends.next(), ends.next()) {
            (Some(near), Some(far)) => Ok((near, far)),
            _ if length == said.len() => {
                Err(io::Error::from_raw_os_error(i32::from_le_bytes(said)))
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
