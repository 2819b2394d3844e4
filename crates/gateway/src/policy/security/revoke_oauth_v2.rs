//! `RevokeOAuthV2`: revokes the tokens of an app, of an end user, or of both together (api-management §9.3).

use super::oauth::unavailable;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::tokens::RevokeFor;

/// Faults, both 500: `steps.oauth.v2.UnresolvedVariable`, `steps.oauth.v2.InvalidTimestamp`. Unsourced: their names.
#[derive(Debug)]
struct RevokeOAuthV2 {
    app: Option<Setting>,
    end_user: Option<Setting>,
    before: Option<Setting>,
    cascade: bool,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["AppId", "EndUserId", "RevokeBeforeTimestamp", "Cascade"]);
    let root = policy.root;
    let mut child = |name| Setting::child(policy, root, name, &[]);
    let (app, end_user, before) = (child("AppId"), child("EndUserId"), child("RevokeBeforeTimestamp"));
    if app.is_none() && end_user.is_none() {
        let message = "RevokeOAuthV2 needs an AppId or an EndUserId";
        policy.problem(root, "MissingConfigurationElement", message);
    }
    let cascade = policy.flag_child(root, "Cascade", false);
    Some(Box::new(RevokeOAuthV2 { app, end_user, before, cascade }))
}

impl Policy for RevokeOAuthV2 {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(self.revoke(cx)))
    }
}

impl RevokeOAuthV2 {
    async fn revoke(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        // One that has no value must not widen what is revoked to everybody.
        let text = |setting: &Option<Setting>| match setting {
            None => Ok(None),
            Some(setting) => match setting.text(cx).filter(|text| !text.is_empty()) {
                Some(text) => Ok(Some(text.into_owned())),
                None => {
                    let text = format!("Unresolved variable : {}", setting.name());
                    Err(Fault::internal("steps.oauth.v2.UnresolvedVariable", text))
                }
            },
        };
        let before = match text(&self.before)? {
            None => cx.now().as_i64().saturating_add(1),
            Some(text) => text.trim().parse().map_err(|_| {
                let text = "RevokeBeforeTimestamp is not a number of milliseconds";
                Fault::internal("steps.oauth.v2.InvalidTimestamp", text)
            })?,
        };
        let whose = RevokeFor {
            app_id: text(&self.app)?,
            end_user: text(&self.end_user)?,
            before,
            cascade: self.cascade,
        };
        let revoked = cx.services.ports.tokens.revoke_for(whose).await;
        revoked.map_err(|why| unavailable(&why))?;
        Ok(Next::Continue)
    }
}

#[cfg(test)]
mod tests;
