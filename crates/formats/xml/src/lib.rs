//! XML in and out, safely: trees, SOAP, MTOM, signatures.
