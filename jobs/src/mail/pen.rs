//! E-mails that aren't sent yet, for who is about to decide.

use eencent_activations::desk::Rendered;
use eencent_activations::desk::support::{ForeseenEmail, Pen};

use super::Renderer;

/// Writes with the templates that e-mails are sent with.
pub(crate) struct TemplatePen(pub(crate) Renderer);

impl Pen for TemplatePen {
    fn write(&self, email: &ForeseenEmail) -> Result<Rendered, String> {
        let rendered = self.0.render(email.kind, &email.language, &email.data);
        rendered.map_err(|error| error.to_string())
    }
}
