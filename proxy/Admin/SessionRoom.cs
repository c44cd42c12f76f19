using System.Globalization;

namespace Breakwater.Proxy.Admin;

/// <summary>Signing in and out on the page: the token becomes a cookie that no script can read and no other site can use.</summary>
internal sealed class SessionRoom(AdminSessions sessions) : IAdminRoom
{
    /// <summary>The path, for the guard: trying to sign in needs nothing.</summary>
    public const string Path = "/api/v1/session";

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        admin.Read("session", "Is this browser signed in, and its CSRF token.", (HttpContext context) =>
            View(context.Items[typeof(AdminSession)] as AdminSession));
        admin.SignIn("session", "Signs in with the token: sets the session's cookie. Five tries a minute an address.", SignIn,
            typeof(SessionView));
        admin.Remove("session", "Signs out.", SignOut, typeof(SessionView));
    }

    private static SessionView View(AdminSession? session) => new(session is not null, session?.Csrf);

    /// <summary>JSON alone is taken: a form of another site cannot send it.</summary>
    private IResult SignIn(SignInOrder order, HttpContext context)
    {
        AdminSession? session = sessions.SignIn(
            context.Connection.RemoteIpAddress, order.Token?.Trim() ?? "", out string? secret, out TimeSpan wait);
        if (wait > TimeSpan.Zero)
        {
            int seconds = (int)Math.Ceiling(wait.TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return new AdminProblem(
                $"Too many tries from this address: {AdminSessions.MaxTries} a minute are taken.", $"Try again in {seconds} s.")
                .Result(StatusCodes.Status429TooManyRequests);
        }

        if (session is null)
        {
            return new AdminProblem("This is not the admin token.",
                $"It is the content of the token file on the server ({AdminToken.WhereItIs}).")
                .Result(StatusCodes.Status401Unauthorized);
        }

        context.Response.Cookies.Append(AdminSessions.Cookie, secret!, Options(order.IsEncrypted || context.Request.IsHttps));
        return Results.Json(View(session), AdminServer.Json);
    }

    private IResult SignOut(HttpContext context)
    {
        if (context.Items[typeof(AdminSession)] is AdminSession session)
        {
            sessions.End(session);
        }

        context.Response.Cookies.Delete(AdminSessions.Cookie, Options(context.Request.IsHttps));
        return Results.Json(View(null), AdminServer.Json);
    }

    private static CookieOptions Options(bool isEncrypted) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = isEncrypted,
        Path = "/",
        MaxAge = AdminSessions.Lifetime,
        IsEssential = true,
    };
}
