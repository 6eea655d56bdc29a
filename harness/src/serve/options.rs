//! The world that `serve` is asked for by options, where no scenario has it: plain tenants, plain facilitators.

use clap::ValueEnum;
use scenario::{Name, Plan, Scenario, Tenant, TypedFault, Usdc, World, limits::MAX_TENANTS};

/// The tenant that is served where only facilitators are asked for.
const DEFAULT_TENANT: &str = "acme:pro:0.01";

/// The chain that is charged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// Base
    Prod,
    /// Base Sepolia
    Test,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum OptionsError {
    #[error("there are two tenants called `{0}`")]
    TwoOfOneName(Name),
    #[error("a world has at most {MAX_TENANTS} tenants, and these are {0}")]
    TooMany(usize),
    #[error("{ports} ports for {facilitators} facilitators")]
    #[diagnostic(help("--facilitators N starts more of them"))]
    TooManyPorts { ports: usize, facilitators: usize },
    #[error("{0}")]
    Fault(String),
    #[error("port {port} on loopback cannot be had")]
    Taken { port: u16, source: std::io::Error },
}

/// Reads `ID:PLAN` of a free tenant, `ID:PLAN:PRICE` of one that is paid.
pub fn tenant(text: &str) -> Result<Tenant, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (id, plan, price) = match parts[..] {
        [id, plan] => (id, plan, None),
        [id, plan, price] => (id, plan, Some(price)),
        _ => return Err("a tenant is ID:PLAN, or ID:PLAN:PRICE, such as shop:pro:0.01".to_owned()),
    };
    let id =
        Name::new(id).ok_or_else(|| format!("`{id}` is not a name: lower-case letters, digits and single hyphens"))?;
    let plan = Plan::named(plan)
        .ok_or_else(|| format!("`{plan}` is not a plan: {}", Plan::ALL.map(Plan::as_str).join(", ")))?;
    let price = price.map(|price| {
        Usdc::new(price).ok_or_else(|| format!("`{price}` is not a price: USDC, above 0 and at most 1, such as 0.01"))
    });
    Ok(Tenant::plain(id, plan, price.transpose()?))
}

/// Reads the URL of a facilitator, as the dispatcher takes it.
pub fn facilitator_url(text: &str) -> Result<String, String> {
    let url = text
        .parse::<reqwest::Url>()
        .map_err(|_| format!("`{text}` is not a URL, such as https://x402.org/facilitator"))?;
    let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost")) && url.port().is_some();
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if is_loopback => Ok(text.to_owned()),
        _ => Err(format!("`{text}` must be https; http is for 127.0.0.1 or localhost with a port")),
    }
}

/// Reads the URL of a node of the chain.
pub fn node_url(text: &str) -> Result<String, String> {
    facilitator_url(text).map_err(|why| why.replace("https://x402.org/facilitator", "https://sepolia.base.org"))
}

/// A scenario in which nothing happens, for a person's own Workers: their directory can change while they are served.
pub fn own_world(tenants: Vec<Tenant>, facilitators: usize, env: Environment) -> Scenario {
    let world = World::plain(names(facilitators), tenants).stored();
    Scenario::quiet(match env {
        Environment::Prod => world.in_production(),
        Environment::Test => world,
    })
}

/// A scenario in which nothing happens.
pub fn world(tenants: &[Tenant], facilitators: usize, env: Environment) -> Result<Scenario, OptionsError> {
    if tenants.len() > MAX_TENANTS {
        return Err(OptionsError::TooMany(tenants.len()));
    }
    for (n, one) in tenants.iter().enumerate() {
        if tenants[..n].iter().any(|earlier| earlier.id() == one.id()) {
            return Err(OptionsError::TwoOfOneName(one.id().clone()));
        }
    }
    let tenants = match tenants {
        [] => vec![tenant(DEFAULT_TENANT).expect("the default is a tenant")],
        given => given.to_vec(),
    };
    let world = World::plain(names(facilitators), tenants);
    Ok(Scenario::quiet(match env {
        Environment::Prod => world.in_production(),
        Environment::Test => world,
    }))
}

fn names(facilitators: usize) -> Vec<Name> {
    let name = |n| match n {
        1 => "primary".to_owned(),
        2 => "standby".to_owned(),
        n => format!("standby-{}", n - 1),
    };
    (1..=facilitators).map(|n| Name::new(&name(n)).expect("it is a name")).collect()
}

/// A fault that cannot be switched on is a mistake.
pub fn check_faults(scenario: &Scenario, faults: &[String]) -> Result<(), OptionsError> {
    let names: Vec<&str> = scenario.world().facilitators().iter().map(Name::as_str).collect();
    if scenario.world().is_official() && !faults.is_empty() {
        return Err(OptionsError::Fault("official facilitators cannot be made to fail".to_owned()));
    }
    faults.iter().try_for_each(|words| TypedFault::parse(words, &names).map(drop)).map_err(OptionsError::Fault)
}

/// A port that nothing will listen on is a mistake.
pub fn enough_facilitators(scenario: &Scenario, ports: &[u16]) -> Result<(), OptionsError> {
    let (ports, facilitators) = (ports.len(), scenario.world().facilitators().len());
    if ports > facilitators { Err(OptionsError::TooManyPorts { ports, facilitators }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_told_in_one_word() {
        let shop = tenant("shop:pro:0.01").unwrap();
        assert_eq!(
            (shop.id().as_str(), shop.plan(), shop.price().map(Usdc::atomic)),
            ("shop", Plan::Pro, Some(10_000))
        );
        assert_eq!(tenant("open:free").unwrap().price(), None);
        for (text, said) in [
            ("shop", "a tenant is ID:PLAN"),
            ("shop:pro:0.01:x", "a tenant is ID:PLAN"),
            ("Shop:pro", "`Shop` is not a name"),
            ("shop:gold", "`gold` is not a plan: free, pro,"),
            ("shop:pro:2", "`2` is not a price"),
            ("shop:pro:", "`` is not a price"),
        ] {
            let error = tenant(text).map(|tenant| tenant.id().to_string()).expect_err(text);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_facilitator_is_a_url_that_the_dispatcher_takes() {
        for text in ["https://x402.org/facilitator", "http://127.0.0.1:4021", "http://localhost:1/x"] {
            assert_eq!(facilitator_url(text).as_deref(), Ok(text));
        }
        for text in
            ["foo", "", "http://x402.org", "http://127.0.0.1/", "ftp://localhost:1/", "http://127.0.0.1.example.com:1/"]
        {
            assert!(facilitator_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_world_is_made_of_options_alone() {
        let served = world(&[], 3, Environment::Test).map_err(miette::Report::new).unwrap();
        assert_eq!(served.world().tenants()[0].id().as_str(), "acme");
        let names: Vec<&str> = served.world().facilitators().iter().map(Name::as_str).collect();
        assert_eq!(names, ["primary", "standby", "standby-2"]);
        assert!(enough_facilitators(&served, &[1, 2, 3]).is_ok());
        let many = enough_facilitators(&served, &[1, 2, 3, 4]).unwrap_err();
        assert_eq!(many.to_string(), "4 ports for 3 facilitators");
        let twice = ["shop:pro:0.01", "shop:free"].map(|text| tenant(text).unwrap());
        assert!(matches!(world(&twice, 1, Environment::Test), Err(OptionsError::TwoOfOneName(_))));
    }
}
