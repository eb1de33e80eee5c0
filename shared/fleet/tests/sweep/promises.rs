//! What must be true of a cloud: at every moment, and when nothing is left to be done.

use fleet::certificate::reason::Reason;
use fleet::device_row::Registered;
use fleet::id::CertificateId;

use crate::cloud::Cloud;

/// At every moment, a registered device can connect, its authority stands by its certificate, and what the authority has
/// revoked cannot connect, or is on its way out.
pub fn hold_always(cloud: &Cloud, context: &str) {
    let row = cloud.world.row();
    let current = row.certificate().filter(|_| row.registered() == Ok(Registered::Ok));
    if let Some(current) = current {
        let found = &cloud.world.certificates[&current];
        assert!(found.active && found.thing && !found.policies.is_empty(), "{context}: {cloud:#?}");
        assert!(!cloud.told.contains_key(&current), "{context}: {cloud:#?}");
    }
    let retiring = row.retiring();
    for id in cloud.told.keys().filter(|id| !retiring.contains(id)) {
        assert!(!cloud.world.active().contains(id), "{context}: {id}: {cloud:#?}");
    }
}

/// In the end no certificate is active that the row does not name for use, and the authority knows of all that are out
/// of service.
pub fn hold_at_rest(cloud: &Cloud, context: &str) {
    let row = cloud.world.row();
    let is_revoked = row.registered() == Ok(Registered::Revoked);
    let in_use: Vec<CertificateId> =
        [row.certificate(), row.pending(), row.previous()].into_iter().flatten().filter(|_| !is_revoked).collect();
    assert!(row.retiring().is_empty() || is_revoked, "{context}: {cloud:#?}");
    for (id, found) in &cloud.world.certificates {
        let may_connect = in_use.contains(id);
        assert!(!found.active || may_connect, "{context}: {id} is active: {cloud:#?}");
        assert!(found.revoked || found.deleted || may_connect, "{context}: {id} lies about: {cloud:#?}");
        assert_eq!(cloud.told.contains_key(id), !may_connect, "{context}: {id} at the authority: {cloud:#?}");
        let reason = cloud.told.get(id);
        assert!(!found.revoked || reason == Some(&Reason::Unspecified), "{context}: {cloud:#?}");
    }
    assert_eq!(cloud.connected, !is_revoked, "{context}: {cloud:#?}");
}
