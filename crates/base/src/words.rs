//! Words that others go by: they stand in answers, logs and stored rows, and in the tables of `docs/`.

/// An enum of such words, each with its text: `as_str` gives the word; what the docs say of it is the variant's own doc comment. Only
/// a native build has the texts, so the Worker does not carry them.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[doc = $about:literal])+ $(#[serde($($serde:tt)*)])? $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[doc = $about])+ $(#[serde($($serde)*)])? $variant,)+
        }

        impl $name {
            /// All, in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What the docs say of it.
            #[cfg(not(target_arch = "wasm32"))]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($about),+).trim(),)+
                }
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::schema::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            // Enums of one name are told apart.
            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut $crate::schema::SchemaGenerator) -> $crate::schema::Schema {
                $crate::schema::words(Self::ALL.iter().map(|word| word.as_str()))
            }
        }
    };
}
