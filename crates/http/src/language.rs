//! The languages of `detail`, and how one is chosen.
//!
//! Over 400 lines: a list, every text in three languages.

use super::portal_texts;
use crate::error::{FieldFault, Reason};
use keeper::Code;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    En,
    Es,
    Vi,
}

impl Language {
    /// Its tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Vi => "vi",
        }
    }

    /// The language of a tag such as `es` or `es-MX`, if it is one of ours.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        [("en", Self::En), ("es", Self::Es), ("vi", Self::Vi)]
            .into_iter()
            .find(|(name, _)| primary.eq_ignore_ascii_case(name))
            .map(|(_, language)| language)
    }

    /// The best of an `Accept-Language` header (RFC 9110 §12.5.4): the highest weight, the first of equals.
    pub fn from_header(header: &str) -> Self {
        let mut best = (0, Self::default());
        for entry in header.split(',').take(20) {
            let (tag, parameter) = entry.split_once(';').unwrap_or((entry, ""));
            let weight = weight(parameter.trim());
            if let Some(language) = Self::from_tag(tag).filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A `q` parameter in thousandths; 1000 where there is none, 0 where it cannot be read.
fn weight(parameter: &str) -> u32 {
    let Some(value) = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")) else {
        return if parameter.is_empty() { 1000 } else { 0 };
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let thousandths = format!("{fraction:0<3}");
    match (whole, thousandths.get(..3).map(str::parse::<u32>)) {
        ("1", _) => 1000,
        ("0", Some(Ok(n))) if fraction.len() <= 3 => n,
        _ => 0,
    }
}

/// Why there is no upstream token.
const fn upstream_texts(code: Code) -> [&'static str; 3] {
    match code {
        Code::Timeout => [
            "The upstream service did not answer in time",
            "El servicio externo no respondió a tiempo",
            "Dịch vụ bên ngoài không phản hồi kịp thời",
        ],
        Code::Unreachable => [
            "The upstream service could not be reached",
            "No se pudo conectar con el servicio externo",
            "Không thể kết nối tới dịch vụ bên ngoài",
        ],
        Code::RateLimited => [
            "The upstream service is limiting requests; try again later",
            "El servicio externo está limitando las solicitudes; inténtelo de nuevo más tarde",
            "Dịch vụ bên ngoài đang giới hạn số yêu cầu; vui lòng thử lại sau",
        ],
        Code::ServerError | Code::UnexpectedResponse | Code::Redirected | Code::Interrupted => [
            "The upstream service failed",
            "Se produjo un error en el servicio externo",
            "Dịch vụ bên ngoài gặp lỗi",
        ],
        Code::CredentialsRefused => [
            "The upstream service refused the configured credentials",
            "El servicio externo rechazó las credenciales configuradas",
            "Dịch vụ bên ngoài từ chối thông tin xác thực đã cấu hình",
        ],
        Code::InputRefused => [
            "The upstream service refused the input as invalid",
            "El servicio externo rechazó los datos por no ser válidos",
            "Dịch vụ bên ngoài từ chối dữ liệu vì không hợp lệ",
        ],
        Code::GrantRefused => [
            "The upstream service refused the authorization code or refresh token",
            "El servicio externo rechazó el código de autorización o el token de actualización",
            "Dịch vụ bên ngoài từ chối mã ủy quyền hoặc token làm mới",
        ],
        Code::TokenRefused => [
            "The upstream service refused the token",
            "El servicio externo rechazó el token",
            "Dịch vụ bên ngoài từ chối token",
        ],
        Code::OtherUser => [
            "The token belongs to a user other than the account's owner",
            "El token pertenece a un usuario distinto del titular de la cuenta",
            "Token thuộc về người dùng khác với chủ tài khoản",
        ],
        Code::Unreadable => [
            "The stored token of this account cannot be read",
            "No se puede leer el token guardado de esta cuenta",
            "Không thể đọc token đã lưu của tài khoản này",
        ],
        Code::Misconfigured => [
            "The settings of this account are faulty; see its status",
            "La configuración de esta cuenta es incorrecta; consulte su estado",
            "Cấu hình của tài khoản này bị lỗi; hãy xem trạng thái của tài khoản",
        ],
        Code::NoTokenSource => [
            "There is no token for this account",
            "No hay ningún token para esta cuenta",
            "Tài khoản này chưa có token",
        ],
        Code::ApprovalPending => [
            "The account's owner has to approve a new token",
            "El titular de la cuenta debe aprobar un nuevo token",
            "Chủ tài khoản cần phê duyệt token mới",
        ],
        Code::CallBudgetExhausted => [
            "Too many calls failed in the last hour; try again later",
            "Demasiadas llamadas fallaron en la última hora; inténtelo de nuevo más tarde",
            "Quá nhiều lần gọi thất bại trong một giờ qua; vui lòng thử lại sau",
        ],
    }
}

/// The text of a refusal: English, Spanish, Vietnamese.
#[allow(clippy::too_many_lines)] // A table.
const fn texts(reason: &Reason) -> [&'static str; 3] {
    match reason {
        Reason::MalformedJson => [
            "The body is not valid JSON",
            "El cuerpo de la solicitud no es JSON válido",
            "Nội dung yêu cầu không phải là JSON hợp lệ",
        ],
        Reason::InvalidRequest => [
            "The request is malformed",
            "El formato de la solicitud no es válido",
            "Yêu cầu không đúng định dạng",
        ],
        Reason::NotAuthenticated => {
            ["Not authenticated", "Se requiere autenticación", "Yêu cầu chưa được xác thực"]
        }
        Reason::TokenInvalid => ["Token is invalid", "El token no es válido", "Token không hợp lệ"],
        Reason::TokenExpired => ["Token has expired", "El token ha expirado", "Token đã hết hạn"],
        Reason::SessionInactivity => [
            "Session expired due to inactivity",
            "La sesión ha expirado por inactividad",
            "Phiên đăng nhập đã hết hạn do không hoạt động",
        ],
        Reason::AccessTokenRevoked(_) => [
            "Access token has been revoked",
            "El token de acceso ha sido revocado",
            "Token truy cập đã bị thu hồi",
        ],
        Reason::SessionRevoked(_) => [
            "Session has been revoked or is invalid",
            "La sesión ha sido revocada o no es válida",
            "Phiên đăng nhập đã bị thu hồi hoặc không hợp lệ",
        ],
        Reason::RefreshTokenReused => [
            "Refresh token has already been used; the session has been closed, log in again",
            "El token de actualización ya se había usado; la sesión se cerró, inicie sesión de nuevo",
            "Token làm mới đã được sử dụng trước đó; phiên đăng nhập đã bị đóng, vui lòng đăng nhập lại",
        ],
        Reason::InvalidCredentials => [
            "Invalid username or password",
            "Usuario o contraseña incorrectos",
            "Tên đăng nhập hoặc mật khẩu không đúng",
        ],
        Reason::InsufficientUserAuthentication { .. } => [
            "A more recent login is required; enter the password again",
            "Se requiere un inicio de sesión más reciente; vuelva a introducir la contraseña",
            "Cần đăng nhập gần đây hơn; hãy nhập lại mật khẩu",
        ],
        Reason::ServiceKeyInvalid => {
            ["Service key is invalid", "La clave de servicio no es válida", "Khóa dịch vụ không hợp lệ"]
        }
        Reason::SessionLimitExceeded => [
            "Maximum number of concurrent sessions exceeded",
            "Se ha superado el número máximo de sesiones simultáneas",
            "Đã vượt quá số phiên đăng nhập đồng thời tối đa",
        ],
        Reason::Forbidden => {
            ["Permission denied", "Permiso denegado", "Không có quyền thực hiện yêu cầu này"]
        }
        Reason::NoPassword => [
            "This session has no password; begin a new one",
            "Esta sesión no tiene contraseña; inicie una nueva",
            "Phiên này không có mật khẩu; hãy bắt đầu phiên mới",
        ],
        Reason::CrossSite => [
            "The request was not sent by a page that may use this session",
            "La solicitud no procede de una página autorizada a usar esta sesión",
            "Yêu cầu không được gửi từ trang được phép dùng phiên này",
        ],
        Reason::PasswordChangeRequired => [
            "The password must be changed before logging in",
            "Debe cambiar la contraseña antes de iniciar sesión",
            "Cần đổi mật khẩu trước khi đăng nhập",
        ],
        Reason::UserInactive => [
            "The user account is disabled",
            "La cuenta de usuario está desactivada",
            "Tài khoản người dùng đã bị vô hiệu hóa",
        ],
        Reason::NotFound => ["Not found", "No encontrado", "Không tìm thấy"],
        Reason::IssuerNotUrl => [
            "TOKEN_ISSUER is not an https URL, so there is no metadata",
            "TOKEN_ISSUER no es una URL https, así que no hay metadatos",
            "TOKEN_ISSUER không phải là URL https nên không có siêu dữ liệu",
        ],
        Reason::UserNotFound => ["User not found", "No se encontró el usuario", "Không tìm thấy người dùng"],
        Reason::SessionNotFound => ["Session not found", "No se encontró la sesión", "Không tìm thấy phiên"],
        Reason::ServiceKeyNotFound => {
            ["Service key not found", "No se encontró la clave de servicio", "Không tìm thấy khóa dịch vụ"]
        }
        Reason::MethodNotAllowed(_) => {
            ["Method not allowed", "Método no permitido", "Phương thức không được phép"]
        }
        Reason::UserExists => ["User already exists", "El usuario ya existe", "Người dùng đã tồn tại"],
        Reason::LastAdmin => [
            "At least one active admin must remain",
            "Debe quedar al menos un administrador activo",
            "Phải còn ít nhất một quản trị viên đang hoạt động",
        ],
        Reason::TooManyServiceKeys => [
            "Too many service keys; revoke one first",
            "Hay demasiadas claves de servicio; revoque alguna primero",
            "Quá nhiều khóa dịch vụ; hãy thu hồi bớt trước",
        ],
        Reason::AccountNotFound => {
            ["Account not found", "No se encontró la cuenta", "Không tìm thấy tài khoản"]
        }
        Reason::Upstream { refusal, .. } => upstream_texts(refusal.code),
        Reason::BodyTooLarge => [
            "The body is too large",
            "El cuerpo de la solicitud es demasiado grande",
            "Nội dung yêu cầu quá lớn",
        ],
        Reason::NotJson => [
            "The body must be JSON in UTF-8 (application/json)",
            "El cuerpo de la solicitud debe ser JSON en UTF-8 (application/json)",
            "Nội dung yêu cầu phải là JSON mã hóa UTF-8 (application/json)",
        ],
        Reason::InvalidFields(_) => {
            ["Some fields are wrong", "Algunos campos no son válidos", "Một số trường không hợp lệ"]
        }
        Reason::InvalidChannel => {
            ["Invalid channel id", "El identificador de canal no es válido", "Mã kênh không hợp lệ"]
        }
        // `{}` is the channel's id.
        Reason::ChannelNotFound(_) => [
            "Cannot find channel with id {}",
            "No se encontró ningún canal con el identificador {}",
            "Không tìm thấy kênh có mã {}",
        ],
        Reason::ChannelWithoutVerifier => [
            "Sessions of this channel cannot be renewed",
            "Las sesiones de este canal no se pueden renovar",
            "Không thể gia hạn phiên của kênh này",
        ],
        Reason::RefreshTokenRequired => {
            ["Refresh token is required", "Se requiere el token de actualización", "Cần có token làm mới"]
        }
        Reason::ExternalTokenExpired(_) => {
            ["External token has expired", "El token externo ha expirado", "Token bên ngoài đã hết hạn"]
        }
        Reason::ExternalTokenInvalid(_) => {
            ["External token is invalid", "El token externo no es válido", "Token bên ngoài không hợp lệ"]
        }
        Reason::TooManyAttempts { .. } => [
            "Too many attempts; try again later",
            "Demasiados intentos; inténtelo de nuevo más tarde",
            "Quá nhiều lần thử; vui lòng thử lại sau",
        ],
        Reason::Portal(refusal) => portal_texts::texts(refusal.code),
        Reason::PortalSessionEnded(reason) => portal_texts::ended(*reason),
        Reason::PortalNotConfigured => [
            "No portal is configured",
            "No hay ningún portal configurado",
            "Chưa cấu hình cổng thông tin nào",
        ],
        Reason::AuditTrailOff => [
            "The audit trail is switched off (AUDIT_TRAIL)",
            "El registro de auditoría está desactivado (AUDIT_TRAIL)",
            "Nhật ký kiểm toán đang tắt (AUDIT_TRAIL)",
        ],
        Reason::AppointmentIncomplete => [
            "The appointment needs more fields, or other values",
            "La cita necesita más datos u otros valores",
            "Lịch hẹn cần thêm thông tin hoặc giá trị khác",
        ],
        Reason::UnsupportedGrantType => [
            "This grant type is not supported",
            "Este tipo de concesión no es compatible",
            "Loại cấp quyền này không được hỗ trợ",
        ],
        Reason::InvalidScope => [
            "There are no scopes to ask for",
            "No hay ámbitos que se puedan solicitar",
            "Không có phạm vi nào để yêu cầu",
        ],
        Reason::InvalidTarget => [
            "There are no tokens for this audience or resource",
            "No hay tokens para esta audiencia o este recurso",
            "Không có token cho đối tượng hoặc tài nguyên này",
        ],
        Reason::MissingFields(_) => {
            ["Required fields are missing", "Faltan campos obligatorios", "Thiếu các trường bắt buộc"]
        }
        Reason::Internal => ["Internal error", "Error interno", "Lỗi nội bộ"],
        Reason::Unavailable => [
            "The service is temporarily unavailable; try again later",
            "El servicio no está disponible en este momento; inténtelo de nuevo más tarde",
            "Dịch vụ tạm thời không khả dụng; vui lòng thử lại sau",
        ],
        Reason::Misconfigured => [
            "The service is not configured correctly",
            "El servicio no está configurado correctamente",
            "Dịch vụ chưa được cấu hình đúng",
        ],
    }
}

const fn fault_texts(fault: FieldFault) -> [&'static str; 3] {
    match fault {
        FieldFault::Required => ["Required", "Obligatorio", "Bắt buộc"],
        FieldFault::WrongType => ["Wrong type", "Tipo incorrecto", "Sai kiểu dữ liệu"],
        FieldFault::TooShort => ["Too short", "Demasiado corto", "Quá ngắn"],
        FieldFault::TooLong => ["Too long", "Demasiado largo", "Quá dài"],
        FieldFault::NotAllowed => ["Value not allowed", "Valor no permitido", "Giá trị không được chấp nhận"],
        FieldFault::TooCommon => ["Too easy to guess", "Demasiado fácil de adivinar", "Quá dễ đoán"],
    }
}

const fn pick(texts: [&'static str; 3], language: Language) -> &'static str {
    let [en, es, vi] = texts;
    match language {
        Language::En => en,
        Language::Es => es,
        Language::Vi => vi,
    }
}

/// What a person is told of a refusal.
pub fn detail(reason: &Reason, language: Language) -> Cow<'static, str> {
    let text = pick(texts(reason), language);
    match reason {
        Reason::ChannelNotFound(id) => text.replace("{}", id).into(),
        _ => text.into(),
    }
}

/// What a person is told of a wrong field.
pub const fn field_message(fault: FieldFault, language: Language) -> &'static str {
    pick(fault_texts(fault), language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::EndReason;
    use std::collections::HashSet;

    fn all_reasons() -> Vec<Reason> {
        vec![
            Reason::MalformedJson,
            Reason::InvalidRequest,
            Reason::NotAuthenticated,
            Reason::TokenInvalid,
            Reason::TokenExpired,
            Reason::SessionInactivity,
            Reason::AccessTokenRevoked(EndReason::Logout),
            Reason::SessionRevoked(None),
            Reason::RefreshTokenReused,
            Reason::InvalidCredentials,
            Reason::InsufficientUserAuthentication { max_age_seconds: 1 },
            Reason::ServiceKeyInvalid,
            Reason::SessionLimitExceeded,
            Reason::Forbidden,
            Reason::CrossSite,
            Reason::UserInactive,
            Reason::NoPassword,
            Reason::PasswordChangeRequired,
            Reason::NotFound,
            Reason::UserNotFound,
            Reason::SessionNotFound,
            Reason::ServiceKeyNotFound,
            Reason::MethodNotAllowed(crate::route::Methods::GET),
            Reason::UserExists,
            Reason::LastAdmin,
            Reason::TooManyServiceKeys,
            Reason::BodyTooLarge,
            Reason::NotJson,
            Reason::InvalidFields(vec![]),
            Reason::InvalidChannel,
            Reason::ChannelNotFound("x".into()),
            Reason::ChannelWithoutVerifier,
            Reason::RefreshTokenRequired,
            Reason::ExternalTokenExpired(None),
            Reason::ExternalTokenInvalid(None),
            Reason::TooManyAttempts { retry_after_seconds: 1 },
            Reason::PortalNotConfigured,
            Reason::AuditTrailOff,
            Reason::AppointmentIncomplete,
            Reason::UnsupportedGrantType,
            Reason::InvalidScope,
            Reason::InvalidTarget,
            Reason::MissingFields(vec![]),
            Reason::Internal,
            Reason::Unavailable,
            Reason::Misconfigured,
        ]
    }

    /// The compiler makes every reason have three texts; this makes them three different ones.
    #[test]
    fn every_text_is_there_in_every_language() {
        let mut codes = HashSet::new();
        for reason in all_reasons() {
            assert!(codes.insert(reason.code()), "{} twice", reason.code());
            let texts: HashSet<&str> = texts(&reason).into_iter().filter(|t| !t.trim().is_empty()).collect();
            assert_eq!(texts.len(), 3, "{}", reason.code());
        }
        for fault in FieldFault::ALL {
            assert_eq!(fault_texts(*fault).into_iter().collect::<HashSet<_>>().len(), 3);
        }
    }

    #[test]
    fn the_english_texts_are_those_of_the_contract() {
        for (reason, text) in [
            (Reason::SessionInactivity, "Session expired due to inactivity"),
            (Reason::AccessTokenRevoked(EndReason::Logout), "Access token has been revoked"),
            (Reason::SessionRevoked(None), "Session has been revoked or is invalid"),
            (Reason::SessionLimitExceeded, "Maximum number of concurrent sessions exceeded"),
            (Reason::InvalidChannel, "Invalid channel id"),
            (Reason::ChannelNotFound("x7".into()), "Cannot find channel with id x7"),
            (Reason::RefreshTokenRequired, "Refresh token is required"),
            (Reason::SessionNotFound, "Session not found"),
        ] {
            assert_eq!(detail(&reason, Language::En), text);
        }
    }

    #[test]
    fn a_header_chooses_the_heaviest_language() {
        for (header, language) in [
            ("", Language::En),
            ("fr", Language::En),
            ("es-MX,es;q=0.9,en;q=0.8", Language::Es),
            ("en;q=0.2, vi;q=0.75", Language::Vi),
            ("VI", Language::Vi),
            ("es;q=0, en;q=0.1", Language::En),
            ("es;q=x", Language::En),
            ("vi;q=0.5,es;q=0.5", Language::Vi),
        ] {
            assert_eq!(Language::from_header(header), language, "{header}");
        }
    }
}
