use pierhead_gateway::design::{PolicyText, ProxyDesign, SharedFlowDesign, Step};
use pierhead_gateway::snapshot::HookPoint;
use pierhead_store::management::{ItemKind, Stamp, StoredProxy, StoredRevision};
use pierhead_store::{Store, on_both_databases};
use serde_json::json;

use crate::management::Management;
use crate::odata::Service;
use crate::testing::{ACME, NOW, Nodes, at, deploy, design, portal, put_value, served, undeploy, value};

const MANY: usize = 2000;

/// Deployed proxies as an earlier process left them.
async fn left_behind(store: &Store, designs: impl Iterator<Item = ProxyDesign>) {
    let tx = store.write().await.unwrap();
    for design in designs {
        let (name, text) = (design.name.clone(), serde_json::to_string(&design).unwrap());
        let proxy = StoredProxy {
            name: name.clone(),
            revision: 1,
            live_revision: Some(1),
            design: text.clone(),
            settings: "{}".into(),
            stamp: Stamp::new(NOW, "ada"),
        };
        tx.add_proxy(ACME, &proxy).await.unwrap();
        tx.add_revision(ACME, &StoredRevision { proxy: name, revision: 1, design: text }).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// A policy that calls a shared flow.
fn call(flow: &str) -> PolicyText {
    PolicyText {
        name: "call".into(),
        kind: "FlowCallout".into(),
        xml: format!("<FlowCallout><SharedFlowBundle>{flow}</SharedFlowBundle></FlowCallout>"),
        fixed: false,
    }
}

fn flow(name: &str, calls: Option<&str>) -> SharedFlowDesign {
    let steps = calls.map(|_| Step { policy: "call".into(), condition: String::new() });
    SharedFlowDesign {
        name: name.into(),
        policies: calls.map(call).into_iter().collect(),
        steps: steps.into_iter().collect(),
        ..SharedFlowDesign::default()
    }
}

async fn deploy_flow(node: &Management, flow: &SharedFlowDesign) {
    let portal = portal(node);
    let mut work = portal.begin().await.unwrap();
    let number = portal.import_shared_flow(&mut work, flow).await.unwrap();
    portal.deploy_shared_flow(&mut work, &flow.name, number).await.unwrap();
    portal.commit(work).await.unwrap();
}

async fn put_item(node: &Management, kind: ItemKind, name: &str, document: Option<String>) {
    let portal = portal(node);
    let mut work = portal.begin().await.unwrap();
    portal.put_item(&mut work, kind, name, document).await.unwrap();
    portal.commit(work).await.unwrap();
}

on_both_databases! {
    async fn a_start_compiles_each_design_once_and_makes_one_snapshot(store: Store) {
        let nodes = Nodes::over(store);
        left_behind(&nodes.store, (0..MANY).map(|number| design(&format!("p{number}")))).await;

        let node = nodes.management();
        node.start().await.unwrap();

        assert_eq!(node.compilations(), MANY as u64);
        let snapshot = node.parts().snapshots.load();
        assert_eq!((snapshot.generation(), snapshot.proxies().count()), (1, MANY));
        assert_eq!(snapshot.base_path_owner("", "/p1999"), Some("p1999"));
        node.close().await;
    }

    async fn a_deploy_costs_one_compilation_and_one_change_whatever_else_runs(store: Store) {
        let nodes = Nodes::over(store);
        left_behind(&nodes.store, (0..300).map(|number| design(&format!("p{number}")))).await;
        let node = nodes.management();
        node.start().await.unwrap();
        let before = node.compilations();

        deploy(&node, design("new")).await;
        assert_eq!((node.compilations(), node.parts().snapshots.load().generation()), (before + 1, 2));
        undeploy(&node, "new").await;
        assert_eq!((node.compilations(), node.parts().snapshots.load().generation()), (before + 1, 3));
        node.close().await;
    }

    async fn a_design_that_cannot_run_any_more_does_not_keep_the_others_from_starting(store: Store) {
        let nodes = Nodes::over(store);
        let mut broken = design("broken");
        broken.policies.push(PolicyText { xml: "<Nothing".into(), ..call("x") });
        let twin = ProxyDesign { name: "z-twin".into(), ..design("good") };
        left_behind(&nodes.store, [design("good"), broken, twin].into_iter()).await;

        let node = nodes.management();
        node.start().await.unwrap();

        assert_eq!(served(&node), ["good"]);
        node.close().await;
    }

    async fn shared_flows_start_whatever_their_order_is(store: Store) {
        let nodes = Nodes::over(store);
        let first = nodes.management();
        first.start().await.unwrap();
        deploy_flow(&first, &flow("z", None)).await;
        deploy_flow(&first, &flow("a", Some("z"))).await;
        let mut caller = design("caller");
        caller.policies.push(call("a"));
        caller.proxy_endpoints[0].flows.pre.request =
            vec![Step { policy: "call".into(), condition: String::new() }];
        deploy(&first, caller).await;
        first.close().await;

        let second = nodes.management();
        second.start().await.unwrap();

        let snapshot = second.parts().snapshots.load();
        assert!(snapshot.shared_flow("a").is_some() && snapshot.shared_flow("z").is_some());
        assert_eq!((served(&second), second.compilations()), (vec!["caller".to_owned()], 3));
        second.close().await;
    }

    async fn a_node_follows_what_another_one_changes(store: Store) {
        if !store.may_be_shared() {
            return;
        }
        let nodes = Nodes::over(store);
        let (one, other) = (nodes.management(), nodes.management());
        one.start().await.unwrap();
        // Without its own task: this test says when it looks. Its clock stands still.
        other.catch_up().await.unwrap();

        deploy(&one, design("a")).await;
        put_value(&one, "m", "k", "v1").await;
        put_value(&one, "m", "gone", "x").await;
        deploy_flow(&one, &flow("f", None)).await;
        put_item(&one, ItemKind::FlowHook, "PreProxyFlowHook", Some(json!({"sharedFlow": "f"}).to_string())).await;
        assert_eq!((served(&other).len(), value(&other, "m", "k")), (0, None));
        other.catch_up().await.unwrap();

        assert_eq!(served(&other), ["a"]);
        assert_eq!(value(&other, "m", "k").as_deref(), Some("v1"));
        let snapshot = other.parts().snapshots.load();
        assert!(snapshot.shared_flow("f").is_some() && snapshot.flow_hook(HookPoint::PreProxy).is_some());

        undeploy(&one, "a").await;
        one.kvm_writer().delete(at("m", "gone")).await.unwrap();
        put_item(&one, ItemKind::FlowHook, "PreProxyFlowHook", None).await;
        deploy(&one, design("b")).await;
        other.catch_up().await.unwrap();

        assert_eq!(served(&other), ["b"]);
        assert_eq!(value(&other, "m", "gone"), None);
        assert!(other.parts().snapshots.load().flow_hook(HookPoint::PreProxy).is_none());
        let (generation, compiled) = (other.parts().snapshots.load().generation(), other.compilations());
        other.catch_up().await.unwrap();
        assert_eq!(other.parts().snapshots.load().generation(), generation, "nothing new, nothing done");
        assert_eq!((other.compilations(), compiled), (compiled, 3), "a, f, b");
        one.close().await;
    }

    async fn a_node_deploys_on_top_of_what_another_one_has_just_changed(store: Store) {
        if !store.may_be_shared() {
            return;
        }
        let nodes = Nodes::over(store);
        let (one, other) = (nodes.management(), nodes.management());
        one.catch_up().await.unwrap();
        other.catch_up().await.unwrap();
        deploy_flow(&one, &flow("f", None)).await;

        let mut caller = design("caller");
        caller.policies.push(call("f"));
        deploy(&other, caller).await;

        assert!(other.parts().snapshots.load().shared_flow("f").is_some());
        assert_eq!(served(&other), ["caller"]);
    }

    async fn a_database_of_one_node_keeps_no_notes_for_others(store: Store) {
        let nodes = Nodes::over(store);
        let node = nodes.management();
        node.start().await.unwrap();
        deploy(&node, design("a")).await;
        put_value(&node, "m", "k", "v").await;
        node.catch_up().await.unwrap();

        let notes = nodes.store.designs().design_changes(Some(0), 10).await.unwrap();
        assert_eq!(notes.is_empty(), !nodes.store.may_be_shared());
        assert_eq!((served(&node), node.compilations()), (vec!["a".to_owned()], 1));
        node.close().await;
    }
}
