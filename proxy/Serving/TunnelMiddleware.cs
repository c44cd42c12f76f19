using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// CONNECT to the hosts that <c>Access:Connect</c> allows, in front of Kestrel's HTTP, which has no tunnels: a connection that begins with
/// CONNECT is a tunnel or refused; any other is Kestrel's, untouched. With no host allowed it is not in the way at all, and Kestrel's
/// pipeline refuses CONNECT.
/// </summary>
internal sealed class TunnelMiddleware(
    ConnectAccess destinations, Admission admission, GuardedConnector connector, ProxyOptions options, RequestRecorder recorder,
    TimeProvider time)
{
    private const int MaxHeadBytes = 8 << 10;

    /// <summary>The connection delegate around the next one.</summary>
    public ConnectionDelegate Wrap(ConnectionDelegate next) =>
        connection => destinations.IsEmpty ? next(connection) : RunAsync(connection, next);

    private async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        (bool isConnect, byte[]? head) = await ReadHeadAsync(connection);
        if (!isConnect)
        {
            await next(connection);
            return;
        }

        if (head is null)
        {
            return;
        }

        long startedAt = time.GetTimestamp();
        ConnectRequest? request = ConnectRequest.Parse(head);
        IPAddress? client = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        var target = new Target(request is null ? null : $"{request.Host}:{request.Port}", request?.UserAgent, client, startedAt);
        try
        {
            await AdmitAsync(connection, request, target);
        }
        catch (Exception e)
            when (e is ConnectionResetException or ConnectionAbortedException or OperationCanceledException or IOException
            or SocketException)
        {
            // One of the two sides left.
            connection.Abort(new ConnectionAbortedException("The tunnel ended.", e));
        }
    }

    private async Task AdmitAsync(ConnectionContext connection, ConnectRequest? request, Target target)
    {
        if (!admission.AllowsAddress(target.Client))
        {
            await RefuseAsync(connection, target, Refusal.Address);
        }
        else if (request is null)
        {
            await RefuseAsync(connection, target, 400, "The CONNECT request is malformed.");
        }
        else if (admission.Admit(target.Client, request.ProxyAuthorization) is var verdict && verdict.Refusal is { } refusal)
        {
            await RefuseAsync(connection, target, refusal);
        }
        else if (!destinations.Allows(request.Host, request.Port))
        {
            await RefuseAsync(connection, target, 403, $"{request.Host}:{request.Port} is not in Access:Connect of this proxy.");
        }
        else
        {
            await Task.Delay(verdict.Wait, time, connection.ConnectionClosed);
            await OpenAsync(connection, request, target);
        }
    }

    private async Task OpenAsync(ConnectionContext connection, ConnectRequest request, Target target)
    {
        Stream upstream;
        using (var timeout = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed))
        {
            timeout.CancelAfter(options.AnswerTimeout);
            try
            {
                upstream = await connector.ConnectForClientAsync(new DnsEndPoint(request.Host, request.Port), timeout.Token);
            }
            catch (Exception e)
                when (e is IOException or SocketException or TimeoutException or OperationCanceledException
                && !connection.ConnectionClosed.IsCancellationRequested)
            {
                bool isTimeout = e is OperationCanceledException or TimeoutException or LookupFailedException { IsTimeout: true };
                string why = e is OperationCanceledException
                    ? "it was not looked up and connected in time (Proxy:AnswerTimeout)"
                    : e.Message;
                string word = ConnectFailures.WordOf(e) ?? (isTimeout ? "connection_timeout" : "destination_unavailable");
                await RefuseAsync(connection, target, isTimeout ? 504 : 502, $"{request.Host}:{request.Port} cannot be connected: {why}",
                    $"Proxy-Status: {options.Name}; error={word}\r\n");
                return;
            }
        }

        await using (upstream)
        {
            await connection.Transport.Output.WriteAsync(
                Encoding.ASCII.GetBytes($"HTTP/1.1 200 Connection established\r\nVia: 1.1 {options.Name}\r\n\r\n"));
            long sent = await new Tunnel(connection, (NetworkStream)upstream).RunAsync();
            Record(target, RequestResult.PassedThrough, 200, sent);
        }
    }

    /// <summary>
    /// Reads a head that begins with CONNECT, up to its empty line; null: the connection has ended, and nothing was said on it. False: it
    /// is none, and nothing was read.
    /// </summary>
    private async Task<(bool IsConnect, byte[]? Head)> ReadHeadAsync(ConnectionContext connection)
    {
        PipeReader input = connection.Transport.Input;
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var late = new CancellationTokenSource(ConnectionRules.Idle, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(late.Token, closing, connection.ConnectionClosed);
        bool hasBegun = false;
        while (true)
        {
            ReadResult result;
            try
            {
                result = await input.ReadAsync(patience.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
            {
                connection.Abort(new ConnectionAbortedException("The client sent no request in time, or left.", e));
                return (true, hasBegun ? [] : null);
            }

            ReadOnlySequence<byte> buffer = result.Buffer;
            byte[] bytes = buffer.Slice(0, Math.Min(buffer.Length, MaxHeadBytes)).ToArray();
            int end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
            bool mayBeConnect = bytes.AsSpan().StartsWith(ConnectRequest.Beginning) || ConnectRequest.Beginning.StartsWith(bytes);
            if (!mayBeConnect || (result.IsCompleted && bytes.Length < ConnectRequest.Beginning.Length))
            {
                input.AdvanceTo(buffer.Start, buffer.Start);
                return (false, []);
            }

            if (end >= 0 || result.IsCompleted || bytes.Length == MaxHeadBytes)
            {
                byte[] head = end >= 0 ? bytes[..(end + 4)] : bytes;
                input.AdvanceTo(buffer.GetPosition(head.Length));
                return (true, head);
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (!hasBegun && bytes.Length > 0)
            {
                hasBegun = true;
                late.CancelAfter(options.RequestHeadTimeout);
            }
        }
    }

    private Task RefuseAsync(ConnectionContext connection, Target target, Refusal refusal) => RefuseAsync(
        connection, target, refusal.Status, refusal.Text, refusal.Field is { } field ? $"{field}: {refusal.Value}\r\n" : "");

    private async Task RefuseAsync(ConnectionContext connection, Target target, int status, string text, string fields = "")
    {
        string body =
            string.Create(CultureInfo.InvariantCulture, $"{status}: {new string([.. text.Where(c => c is >= ' ' and < (char)127)])}\n");
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} {Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status)}\r\nVia: 1.1 "
            + $"{options.Name}\r\nCache-Control: no-store\r\n{fields}Content-Type: text/plain\r\nContent-Length: "
            + $"{body.Length}\r\nConnection: close\r\n\r\n");
        Record(target, status >= 500 ? RequestResult.Failed : RequestResult.Refused, (short)status, body.Length);
        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(head + body));
        await connection.Transport.Output.CompleteAsync();
    }

    private void Record(Target target, RequestResult result, int status, long sent)
    {
        long now = time.GetTimestamp();
        var facts = new RequestFacts
        {
            StartedAt = target.StartedAt,
            Method = RequestMethod.Connect,
            Client = target.Client,
            Target = target.Authority,
            UserAgent = target.UserAgent,
        };
        recorder.Record(facts.Ended(result, status, sent, now, now, result == RequestResult.PassedThrough ? target.Authority : null));
    }

    private sealed record Target(string? Authority, string? UserAgent, IPAddress? Client, long StartedAt);

    /// <summary>Two directions of bytes; both end when the upstream has ended, or when nothing moves for five minutes.</summary>
    private sealed class Tunnel(ConnectionContext connection, NetworkStream upstream)
    {
        private long _movedAt = Environment.TickCount64;

        /// <summary>Runs it; gives the bytes that the client was sent.</summary>
        public async Task<long> RunAsync()
        {
            connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static state => ((Tunnel)state).Heartbeat(), this);

            // Not tied to ConnectionClosed: it fires as soon as the client has sent its last byte, while the answer is still to come.
            using var over = new CancellationTokenSource();
            Task up = SendUpOrEndAsync(over);
            try
            {
                return await SendDownAsync(over.Token);
            }
            finally
            {
                await over.CancelAsync();
                await up;
            }
        }

        /// <summary>A client that left ends both directions; one that has sent all does not.</summary>
        private async Task SendUpOrEndAsync(CancellationTokenSource over)
        {
            try
            {
                await SendUpAsync(over.Token);
            }
            catch (Exception e)
                when (e is ConnectionResetException or ConnectionAbortedException or OperationCanceledException or IOException
                or SocketException)
            {
                await over.CancelAsync();
            }
        }

        private async Task SendUpAsync(CancellationToken cancellationToken)
        {
            PipeReader input = connection.Transport.Input;
            while (true)
            {
                ReadResult result = await input.ReadAsync(cancellationToken);
                foreach (ReadOnlyMemory<byte> piece in result.Buffer)
                {
                    await upstream.WriteAsync(piece, cancellationToken);
                }

                Volatile.Write(ref _movedAt, Environment.TickCount64);
                input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    upstream.Socket.Shutdown(SocketShutdown.Send);
                    return;
                }
            }
        }

        private async Task<long> SendDownAsync(CancellationToken cancellationToken)
        {
            PipeWriter output = connection.Transport.Output;
            long sent = 0;
            while (true)
            {
                int read = await upstream.ReadAsync(output.GetMemory(16 << 10), cancellationToken);
                if (read == 0)
                {
                    await output.CompleteAsync();
                    return sent;
                }

                output.Advance(read);
                sent += read;
                FlushResult flushed = await output.FlushAsync(cancellationToken);
                if (flushed.IsCompleted)
                {
                    return sent;
                }

                Volatile.Write(ref _movedAt, Environment.TickCount64);
            }
        }

        private void Heartbeat()
        {
            if (Environment.TickCount64 - Volatile.Read(ref _movedAt) > ConnectionRules.Idle.TotalMilliseconds)
            {
                connection.Abort(new ConnectionAbortedException("Nothing moved through the tunnel."));
            }
        }
    }
}
