//! What an offer costs, in words.

use x402_protocol::Offer;

/// Digits behind the point of USDC.
const DECIMALS: usize = 6;

/// The price as a person reads it: in USDC where the asset is the network's own.
pub fn price(offer: &Offer) -> String {
    let atomic = offer.amount.to_string();
    let network = offer.network.caip2();
    if offer.asset == offer.network.usdc().address {
        format!("{} USDC on {network}", decimal(&atomic))
    } else {
        format!("{atomic} atomic units of {} on {network}", offer.asset)
    }
}

fn decimal(atomic: &str) -> String {
    let padded = format!("{atomic:0>width$}", width = DECIMALS + 1);
    let (whole, rest) = padded.split_at(padded.len() - DECIMALS);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_units_are_told_as_money() {
        let told = ["10000", "1", "1000000", "12345678", "0"].map(decimal);
        assert_eq!(told, ["0.01", "0.000001", "1", "12.345678", "0"]);
    }
}
