use domain::{budget::*, effect::*, event::*, id::*, message::*, queue::EntryStatus, job::*, model::*};
use ports::{clock::Clock, ids::Ids, live::*, store::*};
use std::{sync::Arc, time::Instant};
use store_sqlite::{SqliteSettings, SqliteStore};
use test_kit::{builders, fakes::{FakeClock, SeqIds}};
struct Deaf;
impl CommitListener for Deaf { fn committed(&self, _: Committed) {} }
fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.rsplit(") ").next().unwrap().split(' ').collect(); (f[11].parse::<f64>().unwrap()+f[12].parse::<f64>().unwrap())/100.0 }
fn rss() -> String { let s = std::fs::read_to_string("/proc/self/status").unwrap(); s.lines().find(|l| l.starts_with("VmRSS")).unwrap().to_owned() }
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let path = std::path::PathBuf::from(dir).join("bench.db");
    let (ids, clock) = (Arc::new(SeqIds::default()), Arc::new(FakeClock::default()));
    let open = async || SqliteStore::connect(SqliteSettings::new(&path), ids.clone(), clock.clone(), Arc::new(Deaf)).await.unwrap();
    let t = Instant::now();
    let store = open().await; store.migrate().await.unwrap();
    println!("fresh start {:?}", t.elapsed());
    let now = clock.now();
    let tenant = store.ensure_tenant("A", now).await.unwrap();
    let agent = builders::agent(&*ids, tenant.id, "Ada", now);
    let integration = builders::integration(&*ids, tenant.id, "Bot", now);
    let tx = store.write(Durability::Relaxed).await.unwrap();
    tx.agents().insert(&agent).await.unwrap();
    tx.integrations().insert(&integration).await.unwrap();
    tx.ledger().set_budget(tenant.id, BudgetScope::Tenant, Period::Day, Limit::Unlimited, now).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let t = Instant::now();
    let store = open().await; store.migrate().await.unwrap();
    println!("second start {:?}  {}", t.elapsed(), rss());
    let store = Arc::new(store);
    let mut serial = 0u64;
    if std::env::args().nth(2).is_none() { for (batch, tasks, chats) in [(1usize,1usize,100u64),(1,32,100),(8,4,100),(32,1,100),(32,2,100),(64,1,100),(128,1,100),(256,1,100),(32,1,1_000_000)] {
        let total = (6000usize).min(batch*tasks*600); let per = total/batch/tasks;
        let (t, c) = (Instant::now(), cpu());
        let mut handles = vec![];
        for _ in 0..tasks {
            let (store, integration, base) = (store.clone(), integration.clone(), serial);
            serial += (per*batch) as u64;
            handles.push(tokio::task::spawn(async move {
                for i in 0..per { let b = (0..batch).map(|j| { let n = base + (i*batch+j) as u64;
                    let m = builders::inbound(&n.to_string(), &format!("chat {}", n % chats), &"hello world ".repeat(20), now);
                    builders::accept(&integration, m)}).collect();
                    store.ingest(b).await.unwrap(); }
            }));
        }
        for h in handles { h.await.unwrap(); }
        let n = (per*batch*tasks) as f64; let e = t.elapsed().as_secs_f64();
        println!("ingest batch {batch} x {tasks} tasks, {chats} chats: {:.0}/s, {:.0} us cpu each, {}", n/e, (cpu()-c)/n*1e6, rss());
    }
    }
    // whole runs
    let worker = WorkerId::from_uuid(ids.next());
    store.register(&Worker { id: worker, instance: "x".into(), started_at: now }).await.unwrap();
    // clear ready lanes first
    loop { let l = store.claim_lanes(worker, now, 1000).await.unwrap(); if l.is_empty() { break } }
    for (round, tasks) in [(1000usize, 1usize), (1000, 8)] {
        let (t, c) = (Instant::now(), cpu());
        let mut hs = vec![];
        for k in 0..tasks {
            let (store, ids, integration, tenant) = (store.clone(), ids.clone(), integration.clone(), tenant.clone());
            hs.push(tokio::task::spawn(async move { for i in 0..round/tasks { run(&store, &ids, &integration, tenant.id, worker, now, tasks*1_000_000 + k*10000 + i).await; } }));
        }
        for h in hs { h.await.unwrap(); }
        let n = (round/tasks*tasks) as f64;
        println!("runs x{tasks}: {:.2} ms each wall, {:.2} ms cpu each, {}", t.elapsed().as_secs_f64()/n*1e3, (cpu()-c)/n*1e3, rss());
    }
    // micro
    for (name, class) in [("empty relaxed tx", Durability::Relaxed), ("empty durable tx", Durability::Durable)] {
        let (t, c) = (Instant::now(), cpu());
        for _ in 0..2000 { store.write(class).await.unwrap().commit().await.unwrap(); }
        println!("{name}: {:.0} us wall {:.0} us cpu", t.elapsed().as_secs_f64()/2000.0*1e6, (cpu()-c)/2000.0*1e6);
    }
    let (t, c) = (Instant::now(), cpu());
    for _ in 0..2000 { let tx = store.read().await.unwrap(); drop(tx); }
    println!("empty read: {:.0} us wall {:.0} us cpu", t.elapsed().as_secs_f64()/2000.0*1e6, (cpu()-c)/2000.0*1e6);
    let (t, c) = (Instant::now(), cpu());
    for _ in 0..2000 { let tx = store.read().await.unwrap(); tx.agents().find(tenant.id, agent.id).await.unwrap(); tx.agents().find(tenant.id, agent.id).await.unwrap(); }
    println!("read + 2 finds: {:.0} us wall {:.0} us cpu", t.elapsed().as_secs_f64()/2000.0*1e6, (cpu()-c)/2000.0*1e6);
}
async fn run(store: &SqliteStore, ids: &SeqIds, integration: &domain::integration::Integration, tenant: TenantId, worker: WorkerId, now: domain::Timestamp, n: usize) {
    let m = builders::inbound(&format!("run {n}"), &format!("run chat {n}"), "do it", now);
    let item_id = store.ingest(vec![builders::accept(integration, m)]).await.unwrap()[0].work_item_id;
    let lanes = store.claim_lanes(worker, now, 1).await.unwrap();
    let Some(lane) = lanes.first().copied() else { return };
    let tx = store.read().await.unwrap();
    let _agent = tx.agents().find(tenant, lane.agent_id).await.unwrap().unwrap();
    let _head = tx.lanes().head(tenant, lane.id).await.unwrap();
    let queued = tx.lanes().queued(tenant, lane.id, 10).await.unwrap();
    drop(tx);
    let q = &queued[0];
    let item = q.item.clone(); let _ = item_id;
    let mut job = builders::job(ids, &lane, item.id, now);
    let ev = |k| NewEvent { kind: k, payload: serde_json::json!({"a": 1, "b": "text"}) };
    // decide
    let tx = store.write(Durability::Relaxed).await.unwrap();
    tx.fenced(tenant, lane.id, lane.fence).await.unwrap();
    tx.work().insert_decision(&domain::work::Decision { id: DecisionId::from_uuid(ids.next()), tenant_id: tenant, work_item_id: item.id, agent_id: lane.agent_id, verdict: domain::work::Verdict::Act, decided_by: domain::work::DecidedBy::Direct, reason: "direct".into(), created_at: now }).await.unwrap();
    job.start(now).unwrap();
    tx.jobs().insert(&job, Limit::Unlimited).await.unwrap();
    tx.lanes().set_entry(tenant, q.entry.id, EntryStatus::Running, Some(job.id)).await.unwrap();
    tx.transcript().append(&[builders::message(ids, &job, 1, "do it")]).await.unwrap();
    let mut rec = builders::reply(ids, &job, &item, now); rec.slot = "receipt".into();
    rec.action = EffectAction::Receipt { message_id: "1".into() };
    tx.effects().insert(&rec).await.unwrap();
    tx.events().append(tenant, job.id, vec![ev(EventKind::JobStatus), ev(EventKind::Message), ev(EventKind::Effect)], now).await.unwrap();
    tx.commit().await.unwrap();
    deliver(store, worker, now, tenant).await;
    for turn in 0..2 {
        let mut call = builders::model_call(ids, &job, Micros(100), now);
        let tx = store.write(Durability::Relaxed).await.unwrap();
        tx.fenced(tenant, lane.id, lane.fence).await.unwrap();
        tx.ledger().reserve(&call, lane.agent_id).await.unwrap();
        tx.commit().await.unwrap();
        call.status = ModelCallStatus::Settled; call.cost = Micros(10); call.finished_at = Some(now);
        let tx = store.write(Durability::Relaxed).await.unwrap();
        tx.fenced(tenant, lane.id, lane.fence).await.unwrap();
        tx.ledger().settle(&call, lane.agent_id).await.unwrap();
        let msg = builders::message(ids, &job, 2 + turn * 2, "answer");
        tx.transcript().append(std::slice::from_ref(&msg)).await.unwrap();
        tx.jobs().update(&job).await.unwrap();
        if turn == 0 {
            let mut tc = ToolCall { id: ToolCallId::from_uuid(ids.next()), tenant_id: tenant, job_id: job.id, message_id: msg.id, position: 0, provider_call_id: "c".into(), name: "bash".into(), arguments: Arguments::parse("{}"), status: ToolCallStatus::Running, result: None, detail: None, started_at: now, finished_at: None };
            tx.transcript().insert_tool_calls(std::slice::from_ref(&tc)).await.unwrap();
            tx.events().append(tenant, job.id, vec![ev(EventKind::Message), ev(EventKind::Usage), ev(EventKind::ToolStarted)], now).await.unwrap();
            tx.commit().await.unwrap();
            let tx = store.write(Durability::Relaxed).await.unwrap();
            tx.fenced(tenant, lane.id, lane.fence).await.unwrap();
            tc.status = ToolCallStatus::Succeeded; tc.result = Some("ok".into());
            tx.transcript().finish_tool_call(&tc).await.unwrap();
            tx.transcript().append(&[builders::message(ids, &job, 3, "result")]).await.unwrap();
            tx.events().append(tenant, job.id, vec![ev(EventKind::ToolFinished), ev(EventKind::Message)], now).await.unwrap();
            tx.commit().await.unwrap();
        } else {
            job.complete(now).unwrap();
            tx.jobs().update(&job).await.unwrap();
            tx.effects().insert(&builders::reply(ids, &job, &item, now)).await.unwrap();
            tx.lanes().finish_entries(tenant, job.id).await.unwrap();
            tx.work().settle(tenant, item.id, None, now).await.unwrap();
            tx.events().append(tenant, job.id, vec![ev(EventKind::Message), ev(EventKind::Usage), ev(EventKind::JobStatus), ev(EventKind::Effect)], now).await.unwrap();
            tx.lanes().release(tenant, lane.id, lane.fence, now).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    deliver(store, worker, now, tenant).await;
}
async fn deliver(store: &SqliteStore, worker: WorkerId, now: domain::Timestamp, tenant: TenantId) {
    for mut e in store.claim_effects(worker, now, 10).await.unwrap() {
        let tx = store.write(Durability::Relaxed).await.unwrap();
        e.status = EffectStatus::Sent; e.settled_at = Some(now);
        tx.effects().update(&e, EffectStatus::Sending).await.unwrap();
        tx.work().settle(tenant, tx.jobs().find(tenant, e.job_id).await.unwrap().unwrap().work_item_id, None, now).await.unwrap();
        tx.events().append(tenant, e.job_id, vec![NewEvent { kind: EventKind::Effect, payload: serde_json::json!({"x":1}) }], now).await.unwrap();
        tx.commit().await.unwrap();
    }
    let _ = JobStatus::Queued;
}
