//! Reading payments back, by endpoint: what the job asks the providers.

use eencent_activations::reread::{Answer, Order, Origin, Rereading, Step};

use crate::endpoint::Endpoints;

impl Rereading for Endpoints {
    fn origin(&self, endpoint: &str) -> Option<Origin> {
        let endpoint = self.get(endpoint)?;
        Some(Origin {
            provider: endpoint.provider().name().to_owned(),
            account: endpoint.account().to_owned(),
            mode: endpoint.mode(),
        })
    }

    fn make(&self, endpoint: &str, order: &Order, answers: &[Answer]) -> Step {
        match self.get(endpoint) {
            Some(endpoint) => endpoint.provider().make(endpoint, order, answers),
            None => Step::Later(format!(
                "The settings have no endpoint {endpoint}: checkout.endpoint names it."
            )),
        }
    }

    fn next(&self, endpoint: &str, subject: &str, answers: &[Answer]) -> Step {
        match self.get(endpoint) {
            Some(endpoint) => endpoint.provider().read_back(endpoint, subject, answers),
            None => Step::Later(format!(
                "The settings have no endpoint {endpoint} any longer: put it back, or leave this set apart."
            )),
        }
    }
}
