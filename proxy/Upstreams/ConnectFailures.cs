using System.Net.Sockets;
using System.Security.Authentication;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// What an attempt to reach a server ended with, for the client: the registered word of RFC 9209, 2.3, and a sentence that names the cause.
/// Pure.
/// </summary>
internal static class ConnectFailures
{
    /// <summary>The error type for <c>Proxy-Status</c>; null: it was no failure to connect.</summary>
    public static string? WordOf(Exception failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            string? word = e switch
            {
                LookupFailedException lookup => lookup.IsTimeout ? "dns_timeout" : "dns_error",
                ProhibitedAddressException => "destination_ip_prohibited",
                AuthenticationException => IsAboutCertificate(e) ? "tls_certificate_error" : "tls_protocol_error",
                TimeoutException => "connection_timeout",
                SocketException socket => WordOf(socket.SocketErrorCode),
                _ => null,
            };
            if (word is not null)
            {
                return word;
            }
        }

        return failure is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } ? "tls_protocol_error"
            : failure is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } ? "dns_error" : null;
    }

    /// <summary>Its sentence, with the cause's where it does not tell it itself.</summary>
    public static string Sentence(Exception failure)
    {
        Exception cause = failure.GetBaseException();
        string own = failure.Message.Replace(", see inner exception", "", StringComparison.Ordinal).TrimEnd('.');
        return own.Contains(cause.Message.TrimEnd('.'), StringComparison.Ordinal) ? failure.Message : $"{own}: {cause.Message}";
    }

    private static string? WordOf(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection_refused",
        SocketError.TimedOut => "connection_timeout",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.AddressNotAvailable => "destination_ip_unroutable",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => "dns_error",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "connection_terminated",
        _ => null,
    };

    private static bool IsAboutCertificate(Exception e) => e.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase);
}
