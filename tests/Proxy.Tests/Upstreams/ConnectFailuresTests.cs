using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>What a client and an operator are told of a server that was not reached: words of RFC 9209, and where to look.</summary>
public class ConnectFailuresTests
{
    /// <summary>The registry of "HTTP Proxy Error Types" (RFC 9209, 2.3 and 6.2).</summary>
    private static readonly string[] s_registered =
    [
        "dns_timeout", "dns_error", "destination_not_found", "destination_unavailable", "destination_ip_prohibited",
            "destination_ip_unroutable",
        "connection_refused", "connection_terminated", "connection_timeout", "connection_read_timeout", "connection_write_timeout",
        "connection_limit_reached", "tls_protocol_error", "tls_certificate_error", "tls_alert_received", "http_request_error",
        "http_request_denied", "http_response_incomplete", "http_response_header_section_size", "http_response_header_size",
        "http_response_body_size", "http_response_trailer_section_size", "http_response_trailer_size", "http_response_transfer_coding",
        "http_response_content_coding", "http_response_timeout", "http_upgrade_failed", "http_protocol_error", "proxy_internal_response",
        "proxy_internal_error", "proxy_configuration_error", "proxy_loop_detected",
    ];

    public static TheoryData<string, Exception, string, string> Cases => new()
    {
        { "dns", new HttpRequestException("x", new LookupFailedException("no such host")), "dns_error", "DNS" },
        { "slow dns", new HttpRequestException("x", new LookupFailedException("late") { IsTimeout = true }), "dns_timeout", "DNS" },
        { "certificate",
            new HttpRequestException(HttpRequestError.SecureConnectionError,
                "The SSL connection could not be established, see inner exception.",
            new AuthenticationException("The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot")),
            "tls_certificate_error", "TLS" },
        { "no tls", new HttpRequestException(HttpRequestError.SecureConnectionError,
            "The SSL connection could not be established, see inner exception.",
            new IOException("Cannot determine the frame size or a corrupted frame was received.")), "tls_protocol_error", "TLS" },
        { "refused", new HttpRequestException("x", new SocketException((int)SocketError.ConnectionRefused)), "connection_refused",
            "connection refused" },
        { "no route", new HttpRequestException("x", new SocketException((int)SocketError.NetworkUnreachable)), "destination_ip_unroutable",
            "no route" },
        { "dropped", new HttpRequestException("x", new TimeoutException("did not accept")), "connection_timeout", "firewall" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Failure_OfEachKind_HasItsWordAndItsPlaceToLook(string what, Exception failure, string word, string found)
    {
        Assert.Equal(word, ConnectFailures.WordOf(failure));
        Assert.Contains(word, s_registered);
        Assert.DoesNotContain("inner exception", ConnectFailures.Sentence(failure), StringComparison.Ordinal);
        (string told, string next) = DoctorReach.Of(failure, "s1.example.org", 8000, 4);
        Assert.StartsWith(found, told, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", told, StringComparison.Ordinal);
        Assert.True(found is "firewall" or "connection refused" == next.Contains("open the firewall", StringComparison.Ordinal),
            $"{what}: {next}");
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, "connection_refused")]
    [InlineData(SocketError.TimedOut, "connection_timeout")]
    [InlineData(SocketError.HostUnreachable, "destination_ip_unroutable")]
    [InlineData(SocketError.NetworkUnreachable, "destination_ip_unroutable")]
    [InlineData(SocketError.AddressNotAvailable, "destination_ip_unroutable")]
    [InlineData(SocketError.HostNotFound, "dns_error")]
    [InlineData(SocketError.TryAgain, "dns_error")]
    [InlineData(SocketError.NoRecovery, "dns_error")]
    [InlineData(SocketError.NoData, "dns_error")]
    [InlineData(SocketError.ConnectionReset, "connection_terminated")]
    [InlineData(SocketError.ConnectionAborted, "connection_terminated")]
    [InlineData(SocketError.Shutdown, "connection_terminated")]
    [InlineData(SocketError.AccessDenied, null)]
    public void WordOf_ASocketsError_IsRegistered(SocketError error, string? word) =>
        Assert.Equal(word, ConnectFailures.WordOf(new HttpRequestException("x", new IOException("y", new SocketException((int)error)))));

    [Fact]
    public void WordOf_OtherFailures_IsTheHttpClientsOrNone()
    {
        Assert.Equal("tls_protocol_error", ConnectFailures.WordOf(new HttpRequestException(HttpRequestError.SecureConnectionError, "x")));
        Assert.Equal("dns_error", ConnectFailures.WordOf(new HttpRequestException(HttpRequestError.NameResolutionError, "x")));
        Assert.Equal("destination_ip_prohibited",
            ConnectFailures.WordOf(new IOException("x", new ProhibitedAddressException("y", IPAddress.Loopback))));
        Assert.Null(ConnectFailures.WordOf(new HttpRequestException(HttpRequestError.ResponseEnded, "x")));
        Assert.Null(ConnectFailures.WordOf(new InvalidOperationException()));
    }

    [Theory]
    [InlineData("Failed, see inner exception.", "The cause.", "Failed: The cause.")]
    [InlineData("Failed: The cause", "The cause.", "Failed: The cause")]
    [InlineData("Failed.", null, "Failed.")]
    public void Sentence_WithACause_TellsItOnce(string own, string? cause, string sentence) =>
        Assert.Equal(sentence, ConnectFailures.Sentence(new IOException(own, cause is null ? null : new IOException(cause))));

    [Fact]
    public void Failure_OfAnyKind_HasARegisteredWord() =>
        Assert.All(Enum.GetValues<FailureKind>(), kind => Assert.Contains(new UpstreamFailure(kind, "").ProxyError, s_registered));
}
