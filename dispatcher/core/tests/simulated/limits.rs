//! What a tenant's runs may use, as plan, override and quarantine say, and what a Worker that burns comes to.

use super::world::{Tenant, World};
use dispatcher_core::plan::{Limits, Plan};

#[test]
fn a_worker_that_burns_again_and_again_is_told_of_and_put_away() {
    let world = World::new();
    world.tenant(Tenant::Throws("Worker exceeded CPU time limit."));
    for _ in 0..5 {
        assert_eq!(world.get("/t/free/x", None).code(), "tenant_cpu_limit_exceeded");
        assert_eq!((world.last_run().limits, world.last_line().limits), (Plan::Free.limits(), None));
    }
    let [alert] = &world.alerts()[..] else { panic!("{:?}", world.alerts()) };
    assert_eq!((alert.tenant_id.as_deref(), alert.in_a_row), (Some("free"), Some(5)));
    world.get("/t/free/x", None);
    let quarantine = Limits { cpu_ms: 5, sub_requests: 1 };
    assert_eq!((world.last_run().limits, world.last_line().limits), (quarantine, Some("quarantine")));
    world.tenant(Tenant::Answers(200));
    assert_eq!(world.get("/t/acme/x", Some(&world.sign(1))).status, 200);
    assert_eq!(world.last_run().limits, Plan::Pro.limits(), "nobody else's");
    world.pass_seconds(600);
    world.get("/t/free/x", None);
    assert_eq!((world.last_run().limits, world.last_line().limits), (Plan::Free.limits(), None));
}
