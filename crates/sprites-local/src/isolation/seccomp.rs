//! The system calls a sandbox has no business with. They fail with EPERM, so that programs see an
//! ordinary refusal. It is a list of denials: an allow-list would break programs we cannot foresee,
//! and the walls stand without it; this keeps their kernel surface small.

use domain::sprite::SandboxTier;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

const DENIED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];
const NAMESPACE_FLAGS: &[i32] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];
/// ioctl requests that type into someone else's terminal.
const TYPING: &[u64] = &[0x5412, 0x541c];
const TYPE_MASK: u64 = 0xf;

/// Installs the filters on this thread; what it starts later inherits them.
pub(crate) fn apply(tier: SandboxTier) -> Result<(), String> {
    install(tier).map_err(|error| format!("seccomp failed: {error}"))
}

fn install(tier: SandboxTier) -> Result<(), Box<dyn std::error::Error>> {
    // The flags of clone3 are in memory, where a filter cannot look; libc falls back to clone.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply_filter(&program(clone3, libc::ENOSYS)?)?;
    let mut denied = program(rules(tier)?, libc::EPERM)?;
    if cfg!(target_arch = "x86_64") {
        denied.splice(0..0, refuse_x32());
    }
    apply_filter(&denied)?;
    Ok(())
}

fn program(rules: Rules, error: i32) -> Result<BpfProgram, Box<dyn std::error::Error>> {
    let action = SeccompAction::Errno(error.unsigned_abs());
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, action, target)?.try_into()?)
}

fn rules(tier: SandboxTier) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let mut clone = Vec::new();
    for flag in NAMESPACE_FLAGS {
        let flag = u64::from(flag.unsigned_abs());
        clone.push(rule(&[(0, SeccompCmpOp::MaskedEq(flag), flag)])?);
    }
    rules.insert(libc::SYS_clone, clone);
    let mut ioctl = Vec::new();
    for request in TYPING {
        ioctl.push(rule(&[(1, SeccompCmpOp::Eq, *request)])?);
    }
    rules.insert(libc::SYS_ioctl, ioctl);
    let unix = number(libc::AF_UNIX);
    // Without a network namespace no socket may be made at all: a Unix socket elsewhere on the
    // host is a door that Landlock does not watch. A pair of sockets leads nowhere.
    let sockets = if tier == SandboxTier::Namespaces {
        let families = [unix, number(libc::AF_INET), number(libc::AF_INET6)];
        vec![
            rule(&families.map(|family| (0, SeccompCmpOp::Ne, family)))?,
            rule(&[(1, SeccompCmpOp::MaskedEq(TYPE_MASK), number(libc::SOCK_RAW))])?,
        ]
    } else {
        Vec::new()
    };
    rules.insert(libc::SYS_socket, sockets);
    let pair = vec![rule(&[(0, SeccompCmpOp::Ne, unix)])?];
    rules.insert(libc::SYS_socketpair, pair);
    Ok(rules)
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions = conditions.iter().map(|(argument, operator, value)| {
        let length = SeccompCmpArgLen::Dword;
        SeccompCondition::new(*argument, length, operator.clone(), *value)
    });
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn number(constant: i32) -> u64 {
    u64::from(constant.unsigned_abs())
}

/// The second set of call numbers of `x86_64` would walk around the list: load the number, and
/// when it has the bit of that set, refuse. The filter that follows checks the architecture.
fn refuse_x32() -> [sock_filter; 3] {
    const X32_BIT: u32 = 0x4000_0000;
    let step = |code: u32, jt, jf, k| sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt,
        jf,
        k,
    };
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32_BIT),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs(),
        ),
    ]
}
