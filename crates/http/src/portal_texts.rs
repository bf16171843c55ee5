//! What a person is told of a portal's refusals: English, Spanish, Vietnamese.

use portal::{Code, End};

#[allow(clippy::too_many_lines)] // A table.
pub const fn texts(code: Code) -> [&'static str; 3] {
    match code {
        // In the words of the legacy system.
        Code::CredentialsRefused => ["Authentication failed", "Error de autenticación", "Xác thực thất bại"],
        Code::AccountLocked => [
            "The portal has locked this account",
            "El portal ha bloqueado esta cuenta",
            "Cổng đã khóa tài khoản này",
        ],
        Code::LoggedOut => {
            ["The portal ended the session", "El portal cerró la sesión", "Cổng đã kết thúc phiên"]
        }
        Code::CaptchaKeyRefused => [
            "The captcha service refused the key",
            "El servicio de captcha rechazó la clave",
            "Dịch vụ captcha từ chối khóa",
        ],
        Code::CaptchaNoBalance => [
            "The captcha account has no balance",
            "La cuenta de captcha no tiene saldo",
            "Tài khoản captcha đã hết số dư",
        ],
        Code::CaptchaBusy => [
            "The captcha service has nobody free",
            "El servicio de captcha no tiene a nadie libre",
            "Dịch vụ captcha hiện không có người giải",
        ],
        Code::CaptchaUnsolved => {
            ["The captcha could not be solved", "No se pudo resolver el captcha", "Không giải được captcha"]
        }
        Code::CaptchaTimeout => [
            "The captcha was not solved in time",
            "El captcha no se resolvió a tiempo",
            "Captcha không được giải kịp thời",
        ],
        Code::CaptchaFailed => {
            ["The captcha service failed", "El servicio de captcha falló", "Dịch vụ captcha gặp lỗi"]
        }
        Code::Timeout | Code::OutOfTime => [
            "The portal did not answer in time",
            "El portal no respondió a tiempo",
            "Cổng không trả lời kịp thời",
        ],
        Code::Unreachable => [
            "The portal could not be reached",
            "No se pudo contactar con el portal",
            "Không thể kết nối tới cổng",
        ],
        Code::RateLimited => {
            ["The portal limits its calls", "El portal limita las llamadas", "Cổng đang giới hạn số lần gọi"]
        }
        Code::ServerError => ["The portal failed", "El portal falló", "Cổng gặp lỗi"],
        Code::UnexpectedResponse => [
            "The portal answered with a page that was not expected",
            "El portal respondió con una página inesperada",
            "Cổng trả về một trang không mong đợi",
        ],
        Code::Redirected => [
            "The portal led to a host that is not its own",
            "El portal llevó a un servidor ajeno",
            "Cổng chuyển hướng tới máy chủ không thuộc cổng",
        ],
        Code::NotFound => ["The portal has no such thing", "El portal no tiene eso", "Cổng không có mục này"],
        Code::InputRefused => [
            "The portal found the input invalid",
            "El portal consideró inválidos los datos",
            "Cổng cho rằng dữ liệu không hợp lệ",
        ],
        Code::OutcomeUnknown => [
            "It is not known whether the portal did it; look there before trying again",
            "No se sabe si el portal lo hizo; compruébelo allí antes de repetir",
            "Không rõ cổng đã thực hiện hay chưa; hãy kiểm tra ở đó trước khi thử lại",
        ],
        Code::Interrupted => [
            "The work was interrupted; try again",
            "El trabajo se interrumpió; inténtelo de nuevo",
            "Công việc bị gián đoạn; hãy thử lại",
        ],
        Code::Unreadable => [
            "The stored session cannot be read",
            "No se puede leer la sesión guardada",
            "Không thể đọc phiên đã lưu",
        ],
        Code::LoginBudgetExhausted => [
            "The logins of this hour are used up; try again later",
            "Se agotaron los inicios de sesión de esta hora; inténtelo más tarde",
            "Đã hết số lần đăng nhập trong giờ này; hãy thử lại sau",
        ],
        Code::Busy => [
            "Too many wait for this session; try again later",
            "Demasiados esperan esta sesión; inténtelo más tarde",
            "Quá nhiều yêu cầu đang chờ phiên này; hãy thử lại sau",
        ],
        Code::Closed => [
            "The session was closed meanwhile",
            "La sesión se cerró mientras tanto",
            "Phiên đã bị đóng trong lúc chờ",
        ],
        Code::WizardUnknown => [
            "No such appointment session, or it was left for too long",
            "No existe esa sesión de cita, o quedó abandonada demasiado tiempo",
            "Không có phiên đặt lịch này, hoặc đã bỏ quá lâu",
        ],
    }
}

/// A session that is over, and why.
pub const fn ended(reason: End) -> [&'static str; 3] {
    match reason {
        End::Closed => ["The session was closed", "La sesión se cerró", "Phiên đã được đóng"],
        End::Evicted => [
            "The session gave way to others that were used more recently",
            "La sesión cedió su lugar a otras usadas más recientemente",
            "Phiên đã nhường chỗ cho các phiên được dùng gần đây hơn",
        ],
        End::Idle => [
            "The session ended because it was not used",
            "La sesión terminó por falta de uso",
            "Phiên đã kết thúc vì không được dùng",
        ],
        End::LoggedOut => [
            "The portal ended the session, and it could not be logged in again",
            "El portal cerró la sesión y no se pudo volver a iniciar",
            "Cổng đã kết thúc phiên và không thể đăng nhập lại",
        ],
        End::Unused => [
            "The portal ended the session, and nobody had used it for so long that it was not logged in again",
            "El portal cerró la sesión, y nadie la había usado en tanto tiempo que no se volvió a iniciar",
            "Cổng đã kết thúc phiên, và đã lâu không ai dùng nên không đăng nhập lại",
        ],
        End::CredentialsRefused => [
            "The portal does not accept the credentials of the session any more",
            "El portal ya no acepta las credenciales de la sesión",
            "Cổng không còn chấp nhận thông tin đăng nhập của phiên",
        ],
        End::Captcha => [
            "The portal ended the session, and the captcha of the new login was not solved",
            "El portal cerró la sesión y no se resolvió el captcha del nuevo inicio",
            "Cổng đã kết thúc phiên và captcha của lần đăng nhập mới không giải được",
        ],
        End::Unreadable => [
            "The stored session could not be read any more",
            "Ya no se pudo leer la sesión guardada",
            "Không còn đọc được phiên đã lưu",
        ],
    }
}
