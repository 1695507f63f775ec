//! DMP and Mon espace santé: XDS.b client and twin.
