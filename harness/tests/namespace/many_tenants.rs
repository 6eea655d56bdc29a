//! A thousand tenants cost what the few cost that run.

use serde_json::json;

use crate::running::Running;

const TENANT: &str = r#"export default { fetch() { return new Response("here"); } };"#;

/// The processes of all tenants together (`MAX_PROCESSES`).
const MAX_PROCESSES: usize = 32;

#[tokio::test]
async fn only_tenants_that_run_have_processes_and_those_make_room_for_each_other() {
    let namespace = Running::start_thousand(TENANT);
    assert_eq!(namespace.tenant_processes().len(), 0, "nothing is started before it is dispatched to");
    for nth in 0..MAX_PROCESSES + 8 {
        assert_eq!(namespace.get(&format!("t{nth}"), "/", json!({})).await.text, "here");
        let running = namespace.tenant_processes().len();
        assert!(running <= MAX_PROCESSES, "{running} processes");
    }
    assert_eq!(namespace.get("t0", "/", json!({})).await.text, "here", "stopped, and started again");
}
