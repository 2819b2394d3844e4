//! `$metadata`: the tables as EDMX, version 1.0 of CSDL 2006/04 with the V2 extensions' namespaces.

use super::schema::{EntitySet, Navigation, Property, Schema};

/// The whole document.
pub(super) fn document(schema: &Schema) -> String {
    let mut xml = format!(
        concat!(
            r#"<?xml version="1.0" encoding="utf-8"?>"#,
            r#"<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">"#,
            r#"<edmx:DataServices m:DataServiceVersion="2.0" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">"#,
            r#"<Schema Namespace="{}" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">"#,
        ),
        schema.namespace
    );
    for set in schema.sets {
        entity_type(&mut xml, schema, set);
    }
    complex_types(&mut xml, schema);
    let ways =
        || schema.sets.iter().flat_map(|set| set.navigation.iter().map(move |navigation| (*set, navigation)));
    for (set, navigation) in ways() {
        association(&mut xml, schema, set, navigation);
    }
    xml.push_str(&format!(
        r#"<EntityContainer Name="{}" m:IsDefaultEntityContainer="true">"#,
        schema.container
    ));
    for set in schema.sets {
        xml.push_str(&format!(
            r#"<EntitySet Name="{}" EntityType="{}.{}"/>"#,
            set.name, schema.namespace, set.type_name
        ));
    }
    for (set, navigation) in ways() {
        let name = association_name(set, navigation);
        xml.push_str(&format!(
            r#"<AssociationSet Name="{name}Set" Association="{}.{name}"><End EntitySet="{}" Role="{}"/><End EntitySet="{}" Role="{}"/></AssociationSet>"#,
            schema.namespace,
            set.name,
            from_role(set),
            navigation.target,
            to_role(navigation),
        ));
    }
    xml.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    xml
}

fn entity_type(xml: &mut String, schema: &Schema, set: &EntitySet) {
    xml.push_str(&format!(r#"<EntityType Name="{}"><Key>"#, set.type_name));
    for key in set.keys() {
        xml.push_str(&format!(r#"<PropertyRef Name="{}"/>"#, key.name));
    }
    xml.push_str("</Key>");
    properties(xml, schema, set.properties);
    for navigation in set.navigation {
        xml.push_str(&format!(
            r#"<NavigationProperty Name="{}" Relationship="{}.{}" FromRole="{}" ToRole="{}"/>"#,
            navigation.name,
            schema.namespace,
            association_name(set, navigation),
            from_role(set),
            to_role(navigation),
        ));
    }
    xml.push_str("</EntityType>");
}

fn properties(xml: &mut String, schema: &Schema, properties: &[Property]) {
    for property in properties.iter().filter(|property| !property.input_only) {
        xml.push_str(&format!(
            r#"<Property Name="{}" Type="{}" Nullable="{}"/>"#,
            property.name,
            property.edm.name(schema.namespace),
            !property.is_key
        ));
    }
}

fn complex_types(xml: &mut String, schema: &Schema) {
    let mut written: Vec<&str> = Vec::new();
    for property in schema.sets.iter().flat_map(|set| set.properties) {
        if let super::schema::Edm::Complex(complex) = property.edm
            && !written.contains(&complex.name)
        {
            written.push(complex.name);
            xml.push_str(&format!(r#"<ComplexType Name="{}">"#, complex.name));
            properties(xml, schema, complex.properties);
            xml.push_str("</ComplexType>");
        }
    }
}

fn association(xml: &mut String, schema: &Schema, set: &EntitySet, navigation: &Navigation) {
    let Some(target) = schema.set(navigation.target) else { return };
    xml.push_str(&format!(
        r#"<Association Name="{}"><End Type="{2}.{1}" Multiplicity="0..1" Role="{3}"/><End Type="{2}.{4}" Multiplicity="{5}" Role="{6}"/></Association>"#,
        association_name(set, navigation),
        set.type_name,
        schema.namespace,
        from_role(set),
        target.type_name,
        if navigation.many { "*" } else { "0..1" },
        to_role(navigation),
    ));
}

fn association_name(set: &EntitySet, navigation: &Navigation) -> String {
    format!("{}_{}", set.type_name, navigation.name)
}

fn from_role(set: &EntitySet) -> String {
    format!("From_{}", set.type_name)
}

fn to_role(navigation: &Navigation) -> String {
    format!("To_{}", navigation.name)
}
