//! Looks at the folder again and again while it is served. A change counts once two looks in a row see the same, because files
//! are written piece by piece.

use std::{path::Path, time::Duration};

use super::{
    list,
    look::{OwnWorker, look},
    stage::Stager,
    terms,
};
use crate::directory::Publisher;
use scenario::Tenant;
use system::output::errln;

const PAUSE: Duration = Duration::from_millis(250);

/// Never comes back. `seen` and `tenants` are what is served already.
pub async fn watch(
    folder: &Path,
    mut seen: Vec<OwnWorker>,
    mut tenants: Vec<Tenant>,
    stager: &Stager,
    publisher: &mut Publisher<'_>,
) {
    let mut served = seen.clone();
    loop {
        tokio::time::sleep(PAUSE).await;
        let at = folder.to_owned();
        let Ok(Ok(now)) = tokio::task::spawn_blocking(move || look(&at)).await else { continue };
        if now != seen {
            seen = now;
            continue;
        }
        if now == served {
            continue;
        }
        for gone in served.iter().filter(|worker| !now.iter().any(|other| other.name == worker.name)) {
            match stager.remove(&gone.name) {
                Ok(()) => errln!("`{}` is gone", gone.name),
                Err(error) => errln!("`{}` cannot be taken away: {error}", gone.name),
            }
        }
        for worker in now.iter().filter(|worker| !served.contains(worker)) {
            if let Err(error) = stager.stage(worker).await {
                errln!("not deployed: `{}`: {error}", worker.name);
            }
        }
        let listed = list(&now);
        listed.wrong.iter().for_each(|wrong| errln!("{wrong}"));
        // One whose record is wrong now keeps the one before.
        let kept = tenants.iter().filter(|known| {
            let is_there = now.iter().any(|worker| worker.name == known.id().as_str());
            is_there && !listed.tenants.iter().any(|tenant| tenant.id() == known.id())
        });
        let next: Vec<Tenant> = listed.tenants.iter().chain(kept).cloned().collect();
        if next != tenants {
            for tenant in next.iter().filter(|tenant| !tenants.contains(tenant)) {
                errln!("{}: {}; counts within twelve seconds", tenant.id(), terms(tenant));
            }
            match publisher.list(next.clone()) {
                Ok(()) => tenants = next,
                Err(error) => errln!("the directory stays as it was: {error}"),
            }
        }
        served = now;
    }
}
