//! Files of the host and of other sprites, by command and by API.

use super::{NEIGHBOUR, SandboxTier, Siege, attacks, canary::SECRET};
use bytes::Bytes;
use std::fs;

attacks!(siege:
    files_of_the_host_are_out_of_reach,
    homes_of_others_are_out_of_reach,
    links_carry_nothing_in_or_out,
    kernel_files_are_shut,
);

async fn files_of_the_host_are_out_of_reach(siege: &Siege) {
    let (file, directory) = (&siege.canaries.file, &siege.canaries.directory);
    let (file, directory) = (file.display(), directory.display());
    siege
        .refused(&[
            &format!("cat {file}"),
            &format!("echo x >> {file}"),
            &format!("rm -f {file}; rm {file}"),
            &format!("mv {file} ~/got"),
            &format!("ln {file} ~/got"),
            &format!("cp {file} ~/got"),
            &format!("ls {directory}"),
            &format!("touch {directory}/new"),
            &format!("cd {directory} && ls"),
            &format!(
                "for d in /proc/[0-9]*/root /proc/[0-9]*/cwd; do cat $d{file} && exit; done; exit 1"
            ),
            "cat /etc/shadow",
            "cat /etc/sudoers",
            "ls /root",
            "ls /home/*/.ssh",
            "echo x >> /etc/passwd",
            "touch /etc/cron.d/new",
            "touch /usr/bin/new",
            "touch /var/spool/cron/new",
            "mkdir /new",
            "ls /var/lib/docker",
            "head -c 1 /dev/sda || head -c 1 /dev/vda || head -c 1 /dev/nvme0n1",
            "mknod ~/disk b 8 0",
            "mknod ~/disk b 259 0",
            "mknod ~/memory c 1 1",
        ])
        .await;
    for path in [file.to_string(), "/etc/shadow".into(), "/root".into()] {
        let read = siege.sprite.read_file(&path, 1 << 20).await;
        assert!(read.is_err(), "{path} was read: {read:?}");
        assert!(siege.sprite.list_directory(&path).await.is_err(), "{path}");
        let copied = siege.sprite.copy(&path, "got", true).await;
        assert!(copied.is_err(), "{path} was copied");
        assert!(siege.sprite.remove(&path, true).await.is_err(), "{path}");
        assert!(siege.sprite.rename(&path, "got").await.is_err(), "{path}");
        let put = siege.sprite.rename("file", &path).await;
        assert!(put.is_err() || siege.sprite.stat("file").await.is_err());
    }
}

async fn homes_of_others_are_out_of_reach(siege: &Siege) {
    let folder = siege.folder(NEIGHBOUR);
    let root = siege.bench.directory.path().join("sprites");
    let (folder, root) = (folder.display(), root.display());
    siege
        .refused(&[
            &format!("cat {folder}/home/diary"),
            &format!("echo x > {folder}/home/new"),
            &format!("ls {folder}"),
            &format!("ls {root}"),
            &format!("cat {root}/.probe/verdict.json"),
            "cat ../../*/home/diary",
            "ls ..  | grep -q home",
            "echo x > ../policy.json",
            "mv ~ ../else",
        ])
        .await;
    let diary = format!("{folder}/home/diary");
    assert!(siege.sprite.read_file(&diary, 100).await.is_err());
    let own = siege.folder(super::ATTACKER).join("policy.json");
    let written = siege
        .sprite
        .write_file("../policy.json", Bytes::from_static(b"{}"))
        .await;
    assert!(written.is_err() || fs::read(own).is_err());
}

/// Also where they change while somebody looks.
async fn links_carry_nothing_in_or_out(siege: &Siege) {
    let outside = siege.canaries.directory.display().to_string();
    let script = format!(
        "mkdir d; ln -s {outside} out; ln -s {outside}/canary f; ln -s /proc/self/root top; ln -s . round; \
         (while :; do rm -rf swap; ln -s {outside} swap; rm -f swap; mkdir swap; done) & echo $!"
    );
    siege.attack(&script).await;
    for _ in 0..200 {
        let read = siege.sprite.read_file("swap/canary", 1 << 10).await;
        assert!(read.is_err(), "{read:?}");
        let new = Bytes::from_static(b"x");
        drop(siege.sprite.write_file("swap/new", new).await);
        drop(siege.sprite.remove("swap", true).await);
        drop(siege.sprite.chmod("swap", 0o777, true).await);
        drop(siege.sprite.copy("swap", "d/copy", true).await);
    }
    for path in ["out/canary", "f", "round/round/out/canary"] {
        assert!(siege.sprite.read_file(path, 1 << 10).await.is_err());
    }
    for path in ["out/canary", "f", "round/round/out/canary"] {
        let new = Bytes::from_static(b"x");
        let written = siege.sprite.write_file(path, new).await;
        // Where the sandbox has temporary files of its own, one of them may now have that name.
        assert!(
            written.is_err() || siege.tier == SandboxTier::Namespaces,
            "{path}"
        );
    }
    drop(siege.sprite.chmod(".", 0o700, true).await);
    drop(siege.sprite.copy(".", "copies", true).await);
    siege
        .refused(&[&format!("grep -rs {SECRET} . /tmp/ \"$TMPDIR\"")])
        .await;
}

async fn kernel_files_are_shut(siege: &Siege) {
    siege
        .refused(&[
            "head -c 1 /dev/kmsg",
            "echo x > /dev/kmsg",
            "head -c 1 /dev/mem",
            "head -c 1 /dev/port",
            "head -c 1 /proc/kcore",
            "head -c 1 /proc/kmsg",
            "echo b > /proc/sysrq-trigger",
            "echo x > /proc/sys/kernel/core_pattern",
            "echo x > /proc/sys/kernel/modprobe",
            "echo 1 > /proc/sys/vm/drop_caches",
            "echo mem > /sys/power/state",
            "echo x > /sys/kernel/uevent_helper",
            "for f in $(find /sys -maxdepth 4 -type f -writable | head -50); do cat $f > $f && exit; done; exit 1",
            "mkdir /sys/fs/cgroup/new",
            "echo 0 > /sys/fs/cgroup/cgroup.procs || echo 0 > /sys/fs/cgroup/pids/cgroup.procs",
            "dmesg",
            "echo -1000 > /proc/self/oom_score_adj",
            "ls /sys/kernel/debug/*",
            "ls /boot/*",
        ])
        .await;
}
