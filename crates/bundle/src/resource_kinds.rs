//! The kinds of scripts and documents, which the dialects name differently.

/// The kind of a SAP file resource, from its extension or its `type`; `None` when SAP has none such.
pub(crate) fn kind_of_extension(extension: &str) -> Option<&'static str> {
    Some(match extension.to_ascii_lowercase().as_str() {
        "js" => "jsc",
        "py" => "py",
        "xsl" | "xslt" => "xsl",
        "xsd" => "xsd",
        "wsdl" => "wsdl",
        _ => return None,
    })
}

/// The `type` that SAP's root document gives a kind; `None` when it has none such.
pub(crate) fn sap_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "jsc" | "js" => "js",
        "py" => "py",
        "xsl" => "xsl",
        "xsd" => "xsd",
        "wsdl" => "wsdl",
        _ => return None,
    })
}
