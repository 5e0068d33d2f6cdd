//! Taking all there is: processes, memory, disk, files, descriptors, output and the server's time.

use super::{MIB, Siege, attacks};
use bytes::Bytes;
use ports::sandbox::SandboxHost as _;
use std::time::Duration;
use test_kit::sandbox::support::{eventually, execute, output, script};
use tokio::time::timeout;

attacks!(siege_with_users: a_fork_bomb_is_contained);

attacks!(siege:
    too_many_processes_are_ended,
    a_memory_bomb_is_contained,
    a_full_disk_is_the_attackers_alone,
    many_files_hold_nobody_up,
    descriptors_run_out_for_the_attacker_alone,
    a_flood_of_output_drowns_nobody,
);

async fn served(siege: &Siege) {
    let answer = timeout(
        Duration::from_secs(20),
        output(siege.neighbour.as_ref(), "echo served"),
    );
    assert_eq!(answer.await.unwrap(), "served\n", "{}", siege.tier);
}

/// The neighbour is served while it goes on, and it does not go on for ever.
async fn a_fork_bomb_is_contained(siege: &Siege) {
    let bomb = "b() { b | b & }; b; sleep 1000";
    let exec = siege.briefly(bomb, Duration::from_secs(5));
    let ((), ()) = tokio::join!(exec, served(siege));
    siege
        .briefly("perl -e '1 while 1 + fork'", Duration::from_secs(5))
        .await;
    served(siege).await;
    eventually("a number of processes within the limit", async || {
        siege.survivors().len() < 100
    })
    .await;
}

/// Also where the kernel does not limit them.
async fn too_many_processes_are_ended(siege: &Siege) {
    let crowd = "for i in $(seq 300); do sleep 1000 & done; wait";
    let exec = siege.briefly(crowd, Duration::from_secs(8));
    let ((), ()) = tokio::join!(exec, served(siege));
    eventually("a number of processes within the limit", async || {
        siege.survivors().len() < 100
    })
    .await;
}

async fn a_memory_bomb_is_contained(siege: &Siege) {
    let half = 150;
    let bombs = [
        "perl -e '$x .= \"x\" x (1 << 20) while 1'".to_owned(),
        format!("for i in 1 2 3 4; do perl -e '$x = \"x\" x ({half} << 20); sleep 1000' & done; wait"),
        // Files that are memory count too, or are held to a size.
        "head -c 3000000000 /dev/zero > /dev/shm/fill || head -c 3000000000 /dev/zero > \"$TMPDIR/fill\"; rm -f /dev/shm/fill \"$TMPDIR/fill\"".to_owned(),
    ];
    for bomb in &bombs {
        let exec = siege.briefly(bomb, Duration::from_secs(8));
        let ((), ()) = tokio::join!(exec, served(siege));
    }
}

/// And only until the attacker goes.
async fn a_full_disk_is_the_attackers_alone(siege: &Siege) {
    let fill = "i=0; while [ $i -lt 400 ]; do head -c 1000000 /dev/zero > fill$i || exit 9; i=$((i+1)); done; truncate -s 1T hole";
    siege.briefly(fill, Duration::from_secs(20)).await;
    let taken = siege
        .bench
        .host
        .inspect(super::sprite(super::ATTACKER))
        .await
        .unwrap();
    assert!(taken.disk_bytes.unwrap() < 400 * MIB, "{taken:?}");
    let new = Bytes::from(vec![7; 1 << 20]);
    siege.neighbour.write_file("large", new).await.unwrap();
    siege.neighbour.remove("large", false).await.unwrap();
    // One file that claims to be huge is neither read nor copied whole.
    siege.attack("rm -f fill*").await;
    eventually("room for the attacker", async || {
        let (_, seen) = siege.attack("truncate -s 8G hole && stat -c %s hole").await;
        seen.stdout() == "8589934592\n"
    })
    .await;
    assert!(siege.sprite.read_file("hole", 1 << 20).await.is_err());
    let kept = timeout(Duration::from_secs(30), siege.sprite.checkpoint(None, &()));
    if let Ok(checkpoint) = kept.await.unwrap() {
        assert!(checkpoint.bytes.unwrap() < 10 * MIB, "{checkpoint:?}");
        timeout(
            Duration::from_secs(30),
            siege.sprite.restore(&checkpoint.id, &()),
        )
        .await
        .unwrap()
        .unwrap();
        let (_, seen) = siege.attack("stat -c '%s %b' hole").await;
        let all = seen.stdout();
        let blocks: u64 = all.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(blocks < 20 * 2048, "{all}");
    }
}

/// Wide and deep, with names that are hard to say.
async fn many_files_hold_nobody_up(siege: &Siege) {
    const WITHIN: Duration = Duration::from_secs(40);
    let wide = "mkdir wide; cd wide; perl -e 'for (1..20000) { open(my $f, \">\", \"file-$_\") }'; cd; \
                perl -e 'open(my $f, \">\", \"\\xff\\xfe\\n\\e[2J\" . \"x\" x 200)'";
    siege.attack(wide).await;
    served(siege).await;
    let sprite = &siege.sprite;
    let kept = timeout(WITHIN, sprite.checkpoint(None, &())).await;
    let kept = kept.unwrap().unwrap();
    let restored = timeout(WITHIN, sprite.restore(&kept.id, &())).await;
    restored.unwrap().unwrap();
    let (_, seen) = siege.attack("ls wide | wc -l").await;
    assert_eq!(seen.stdout(), "20000\n", "{}", siege.tier);
    let deep = "perl -e 'mkdir \"deep\"; chdir \"deep\"; for (1..3000) { mkdir \"d\" or last; chdir \"d\" or last }'";
    siege.attack(deep).await;
    // Whatever the answers are, there are some.
    drop(
        timeout(WITHIN, sprite.list_directory("wide"))
            .await
            .unwrap(),
    );
    drop(timeout(WITHIN, sprite.list_directory("")).await.unwrap());
    drop(
        timeout(WITHIN, sprite.glob("", "**/*", 1000))
            .await
            .unwrap(),
    );
    drop(
        timeout(WITHIN, sprite.copy("deep", "copy", true))
            .await
            .unwrap(),
    );
    drop(
        timeout(WITHIN, sprite.chmod("deep", 0o700, true))
            .await
            .unwrap(),
    );
    drop(timeout(WITHIN, sprite.checkpoint(None, &())).await.unwrap());
    drop(
        timeout(WITHIN, sprite.restore(&kept.id, &()))
            .await
            .unwrap(),
    );
    served(siege).await;
}

async fn descriptors_run_out_for_the_attacker_alone(siege: &Siege) {
    let all = "perl -e 'for (1..40) { fork or last } my @f; while (open(my $f, \"<\", \"/dev/null\")) { push @f, $f } \
               while (pipe(my $a, my $b)) { push @f, $a, $b } sleep 3'";
    let exec = siege.briefly(all, Duration::from_secs(8));
    let ((), ()) = tokio::join!(exec, served(siege));
}

/// Of commands and of processes that nobody reads.
async fn a_flood_of_output_drowns_nobody(siege: &Siege) {
    let mut left = Vec::new();
    for _ in 0..5 {
        let mut command = script("yes attack");
        command.linger = Some(Duration::from_secs(30));
        left.push(siege.sprite.start(command).await.unwrap().process.id);
    }
    siege.attack("yes attack & yes attack >&2 & true").await;
    served(siege).await;
    for id in &left {
        assert!(siege.sprite.last_output(id).await.unwrap().len() < 2 << 20);
    }
    let seen = execute(siege.sprite.as_ref(), script("echo still")).await;
    assert_eq!(seen.text(), "still\n");
}
