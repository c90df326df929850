"""Electronic documents: edXML, and tables."""
