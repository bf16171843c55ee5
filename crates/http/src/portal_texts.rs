//! What a person is told of a portal's refusals: English, Spanish, Vietnamese.

use portal::{Code, End};

#[allow(clippy::too_many_lines)] // A table.
pub const fn texts(code: Code) -> [&'static str; 3] {
    match code {
        // In the words of the legacy system.
        Code::CredentialsRefused => {
            ["Authentication failed", "Error de autenticación", "Xác thực không thành công"]
        }
        Code::AccountLocked => [
            "The portal has locked this account",
            "El portal ha bloqueado esta cuenta",
            "Cổng thông tin đã khóa tài khoản này",
        ],
        Code::LoggedOut => {
            ["The portal ended the session", "El portal cerró la sesión", "Cổng thông tin đã kết thúc phiên"]
        }
        Code::CaptchaKeyRefused => [
            "The captcha service refused the key",
            "El servicio de captcha rechazó la clave",
            "Dịch vụ giải captcha từ chối khóa",
        ],
        Code::CaptchaNoBalance => [
            "The captcha account has no balance",
            "La cuenta del servicio de captcha no tiene saldo",
            "Tài khoản dịch vụ giải captcha đã hết số dư",
        ],
        Code::CaptchaBusy => [
            "The captcha service is busy; try again later",
            "El servicio de captcha está ocupado; inténtelo de nuevo más tarde",
            "Dịch vụ giải captcha đang bận; vui lòng thử lại sau",
        ],
        Code::CaptchaUnsolved => {
            ["The captcha could not be solved", "No se pudo resolver el captcha", "Không giải được captcha"]
        }
        Code::CaptchaTimeout => [
            "The captcha was not solved in time",
            "El captcha no se resolvió a tiempo",
            "Captcha không được giải kịp thời",
        ],
        Code::CaptchaFailed => [
            "The captcha service failed",
            "Se produjo un error en el servicio de captcha",
            "Dịch vụ giải captcha gặp lỗi",
        ],
        Code::Timeout | Code::OutOfTime => [
            "The portal did not answer in time",
            "El portal no respondió a tiempo",
            "Cổng thông tin không phản hồi kịp thời",
        ],
        Code::Unreachable => [
            "The portal could not be reached",
            "No se pudo conectar con el portal",
            "Không thể kết nối tới cổng thông tin",
        ],
        Code::RateLimited => [
            "The portal is limiting requests; try again later",
            "El portal está limitando las solicitudes; inténtelo de nuevo más tarde",
            "Cổng thông tin đang giới hạn số yêu cầu; vui lòng thử lại sau",
        ],
        Code::ServerError => {
            ["The portal failed", "Se produjo un error en el portal", "Cổng thông tin gặp lỗi"]
        }
        Code::UnexpectedResponse => [
            "The portal answered with an unexpected page",
            "El portal respondió con una página inesperada",
            "Cổng thông tin trả về một trang không như dự kiến",
        ],
        Code::Redirected => [
            "The portal redirected to a host that is not allowed",
            "El portal redirigió a un servidor no permitido",
            "Cổng thông tin chuyển hướng tới máy chủ không được phép",
        ],
        Code::NotFound => [
            "The portal does not have the requested item",
            "El portal no tiene el elemento solicitado",
            "Cổng thông tin không có mục được yêu cầu",
        ],
        Code::InputRefused => [
            "The input cannot be sent to the portal",
            "Los datos no se pueden enviar al portal",
            "Không thể gửi dữ liệu này tới cổng thông tin",
        ],
        Code::OutcomeUnknown => [
            "It is unknown whether the appointment was booked; check at the portal before trying again",
            "No se sabe si la cita quedó reservada; compruébelo en el portal antes de volver a intentarlo",
            "Không rõ lịch hẹn đã được đặt hay chưa; hãy kiểm tra trên cổng thông tin trước khi thử lại",
        ],
        Code::Interrupted => [
            "The operation was interrupted; try again",
            "La operación se interrumpió; inténtelo de nuevo",
            "Thao tác bị gián đoạn; vui lòng thử lại",
        ],
        Code::Unreadable => [
            "The stored session cannot be read",
            "No se puede leer la sesión guardada",
            "Không thể đọc phiên đã lưu",
        ],
        Code::LoginBudgetExhausted => [
            "Too many logins in the last hour; try again later",
            "Demasiados inicios de sesión en la última hora; inténtelo de nuevo más tarde",
            "Quá nhiều lần đăng nhập trong một giờ qua; vui lòng thử lại sau",
        ],
        Code::Busy => [
            "Too many requests are waiting for this session; try again later",
            "Hay demasiadas solicitudes en espera de esta sesión; inténtelo de nuevo más tarde",
            "Quá nhiều yêu cầu đang chờ phiên này; vui lòng thử lại sau",
        ],
        Code::Closed => [
            "The session was closed in the meantime",
            "La sesión se cerró mientras tanto",
            "Phiên đã bị đóng trong lúc chờ",
        ],
        Code::NeedsHuman => [
            "The portal asks for something that only a person can do",
            "El portal pide algo que solo una persona puede hacer",
            "Cổng thông tin yêu cầu một thao tác chỉ con người thực hiện được",
        ],
        Code::RefusedAutomation => [
            "The portal refuses automated access",
            "El portal rechaza el acceso automatizado",
            "Cổng thông tin từ chối truy cập tự động",
        ],
        Code::StepFailed => [
            "A step at the portal could not be done",
            "No se pudo completar un paso en el portal",
            "Không thể thực hiện một bước trên cổng thông tin",
        ],
        Code::NoBrowser => [
            "No browser is available",
            "No hay ningún navegador disponible",
            "Không có trình duyệt nào khả dụng",
        ],
        Code::BrowsersBusy => [
            "All browsers are in use; try again later",
            "Todos los navegadores están en uso; inténtelo de nuevo más tarde",
            "Tất cả trình duyệt đang được sử dụng; vui lòng thử lại sau",
        ],
        Code::BrowserLost => [
            "The browser was lost while it worked",
            "Se perdió el navegador mientras trabajaba",
            "Trình duyệt đã bị mất khi đang làm việc",
        ],
        Code::WizardUnknown => [
            "This appointment session does not exist or has expired",
            "La sesión de cita no existe o ha expirado",
            "Phiên đặt lịch hẹn không tồn tại hoặc đã hết hạn",
        ],
    }
}

/// A session that is over, and why.
pub const fn ended(reason: End) -> [&'static str; 3] {
    match reason {
        End::Closed => ["The session was closed", "La sesión se cerró", "Phiên đã được đóng"],
        End::Evicted => [
            "The session was closed to make room for others that were used more recently",
            "La sesión se cerró para dejar lugar a otras usadas más recientemente",
            "Phiên đã bị đóng để nhường chỗ cho các phiên được dùng gần đây hơn",
        ],
        End::Idle => [
            "The session ended because it was not used",
            "La sesión terminó por falta de uso",
            "Phiên đã kết thúc vì không được sử dụng",
        ],
        End::LoggedOut => [
            "The portal ended the session, and it was not possible to log in again",
            "El portal cerró la sesión y no se pudo volver a iniciar",
            "Cổng thông tin đã kết thúc phiên và không thể đăng nhập lại",
        ],
        End::Unused => [
            "The portal ended the session, which had been unused for too long to log in again",
            "El portal cerró la sesión, que llevaba demasiado tiempo sin usarse para volver a iniciarla",
            "Cổng thông tin đã kết thúc phiên; phiên đã lâu không được sử dụng nên không đăng nhập lại",
        ],
        End::CredentialsRefused => [
            "The portal no longer accepts the credentials of the session",
            "El portal ya no acepta las credenciales de la sesión",
            "Cổng thông tin không còn chấp nhận thông tin đăng nhập của phiên",
        ],
        End::Captcha => [
            "The portal ended the session, and the captcha of the new login was not solved",
            "El portal cerró la sesión y no se resolvió el captcha del nuevo inicio de sesión",
            "Cổng thông tin đã kết thúc phiên và không giải được captcha của lần đăng nhập mới",
        ],
        End::Unreadable => [
            "The stored session can no longer be read",
            "La sesión guardada ya no se puede leer",
            "Không còn đọc được phiên đã lưu",
        ],
    }
}
