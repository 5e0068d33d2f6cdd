//! Rights that a command does not have, and means by which others got some.

use super::{Siege, attacks};
use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};
use test_kit::sandbox::support::{read, script};

attacks!(siege:
    programs_with_a_users_rights_give_none,
    system_calls_that_change_the_machine_are_refused,
    nobody_is_traced,
    nobody_types_into_a_terminal,
    capabilities_are_gone,
);

/// Those of the system, and those a sprite makes itself.
async fn programs_with_a_users_rights_give_none(siege: &Siege) {
    siege
        .refused(&[
            "echo | timeout 5 su -c id",
            "timeout 5 sudo -n id",
            "timeout 5 pkexec id",
            "timeout 5 newgrp root < /dev/null | grep -q .",
            "for p in $(find / -xdev -perm -4000 -type f 2>/dev/null); do timeout 1 $p < /dev/null 2>/dev/null | grep -q uid=0 && exit; done; exit 1",
            "setpriv --reuid=0 --regid=0 --clear-groups cat /etc/shadow",
            "setcap cap_sys_admin+ep $(cp /bin/true ~/t; echo ~/t)",
        ])
        .await;
    // A program that gives whoever runs it the rights of whom it belongs to.
    siege.attack("cp /bin/bash sh; chmod 6755 sh; chmod 755 ~; ./sh -p -c 'cat /etc/shadow; id' > got 2>/dev/null; chmod 6755 sh").await;
    let (_, kept) = siege.attack("grep -c root: got; ./sh -p -c 'grep Cap /proc/self/status' | grep -vc 0000000000000000").await;
    assert_eq!(kept.stdout(), "0\n0\n", "{}", siege.tier);
    let program = siege.folder(super::ATTACKER).join("home/sh");
    let mode = fs::metadata(&program).unwrap().permissions().mode();
    if mode & 0o6000 != 0 && nix::unistd::geteuid().is_root() {
        // Nobody on the host gets at it.
        let run = Command::new("setpriv")
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            // What setpriv starts by itself it finds with the rights it had.
            .args(["sh", "-c", "exec \"$0\" -p -c id"])
            .arg(&program)
            .output()
            .unwrap();
        assert!(!run.status.success(), "{run:?}");
    }
}

/// Each with nothing but zeros, so that one that is not refused does no harm here.
const CALLS: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsopen,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

async fn system_calls_that_change_the_machine_are_refused(siege: &Siege) {
    let numbers: Vec<String> = CALLS.iter().map(ToString::to_string).collect();
    // EPERM or ENOSYS and nothing else: any other answer means that the call was looked at. Once
    // more by the numbers of the other set that x86-64 has.
    let script = format!(
        "perl -e 'for my $n (@ARGV) {{ for my $set (0, 0x40000000) {{ \
         my $r = syscall($n + $set, 0, 0, 0, 0, 0, 0); print \"$n $set: $r $!\\n\" if $r != -1 || ($! != 1 && $! != 38) }} }}' {}",
        numbers.join(" ")
    );
    let (outcome, kept) = siege.attack(&script).await;
    assert_eq!(
        outcome.exit,
        ports::sandbox::Exit::Code(0),
        "{}",
        kept.stderr()
    );
    assert_eq!(kept.stdout(), "", "{}", siege.tier);
    // New namespaces by both calls that make processes.
    let flags = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    for flag in flags {
        let script = format!(
            "perl -e 'my $r = syscall({}, {flag} | {}, 0, 0, 0, 0); exit 0 if $r == 0; exit($r == -1)'",
            libc::SYS_clone,
            libc::SIGCHLD
        );
        siege.refused(&[&script]).await;
    }
    siege
        .refused(&[
            &format!(
                "perl -e 'exit(syscall({}, \"\\0\" x 88, 88) == -1)'",
                libc::SYS_clone3
            ),
            "unshare -U true",
            "unshare -Ur mount -t tmpfs none /mnt",
            "mount -t tmpfs none ~",
            "mount --bind / ~",
            "umount /proc",
            "bwrap --ro-bind / / true",
            "nsenter -t 1 -m true",
            "chroot / true",
            "hostname other",
            "date -s 2000-01-01",
            "chown 12345 ~",
            "chattr +i file",
        ])
        .await;
}

async fn nobody_is_traced(siege: &Siege) {
    let server = std::process::id();
    siege
        .refused(&[
            "strace true",
            &format!("strace -p {server} -o /dev/null"),
            "gdb -p 1 -batch",
            "sleep 1000 & perl -e 'exit(syscall($ARGV[0], 16, $ARGV[1], 0, 0) == -1)' 101 $!",
        ])
        .await;
}

/// Neither on its own terminal nor on another's.
async fn nobody_types_into_a_terminal(siege: &Siege) {
    let (tiocsti, tioclinux) = (0x5412, 0x541c);
    let source = format!(
        "perl -e 'for my $r ({tiocsti}, {tioclinux}, {tiocsti} + (1 << 32)) {{ my $c = \"\\x03\"; print \"typed $r\\n\" if ioctl(STDIN, $r, $c); \
         print \"typed $r\\n\" if syscall({}, 0, $r, $c) != -1 }}'; for t in /dev/tty[0-9]* /dev/console /dev/pts/[0-9]*; do \
         perl -e 'open(my $t, \"+<\", shift) or exit; my $c = \"x\"; print \"typed\\n\" if ioctl($t, {tiocsti}, $c)' $t; done; echo over",
        libc::SYS_ioctl
    );
    let mut command = script(&source);
    command.terminal = Some(ports::sandbox::TerminalSize::default());
    command.input = true;
    let ended = read(siege.sprite.start(command).await.unwrap()).await;
    assert_eq!(ended.text().trim(), "over", "{}", siege.tier);
}

async fn capabilities_are_gone(siege: &Siege) {
    let script = "grep -E '^(CapEff|CapBnd|CapPrm|CapInh|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | cut -f2 | xargs";
    let (_, kept) = siege.attack(script).await;
    let none = "0000000000000000";
    let expected = format!("{none} {none} {none} {none} {none} 1 2\n");
    assert_eq!(kept.stdout(), expected, "{}", siege.tier);
    let mut command = test_kit::sandbox::support::script(script);
    command.terminal = Some(ports::sandbox::TerminalSize::default());
    let ended = read(siege.sprite.start(command).await.unwrap()).await;
    assert_eq!(ended.text().trim(), expected.trim(), "{}", siege.tier);
}
