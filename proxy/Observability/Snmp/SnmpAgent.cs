using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>
/// Answers SNMP on a UDP port, one datagram after the other. Who is not allowed, or names a wrong community, gets nothing; the log says so
/// once a minute.
/// </summary>
internal sealed partial class SnmpAgent(SnmpOptions options, SnmpResponder responder, ListenPlan plan, TimeProvider time,
    ILogger<SnmpAgent> log) : BackgroundService
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(1);

    private readonly ClientAccess _clients = new(options.EffectiveClients);
    private Socket? _socket;
    private long? _saidAt;

    /// <summary>Where it listens; null before the start.</summary>
    public IPEndPoint? EndPoint => (IPEndPoint?)_socket?.LocalEndPoint;

    /// <inheritdoc/>
    /// <exception cref="SocketException">The port cannot be had.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _socket = plan.SnmpPort!.OpenDatagrams();
        LogOpen(log, EndPoint!);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _socket?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        byte[] buffer = new byte[SnmpResponder.MaxDatagramBytes + 1];
        var anybody = new IPEndPoint(_socket!.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anybody, stoppingToken);
                await ThreadHop.ToPool();
                if (Answer(buffer.AsMemory(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint) is { } answer)
                {
                    await _socket.SendToAsync(answer, SocketFlags.None, received.RemoteEndPoint, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // One datagram's trouble (its sender not reachable, a counter not readable) is not the next one's.
                if (MaySay())
                {
                    LogFailed(log, e);
                }
            }
        }
    }

    private byte[]? Answer(ReadOnlyMemory<byte> datagram, IPEndPoint sender)
    {
        if (!_clients.Allows(sender.Address))
        {
            if (MaySay())
            {
                LogRefused(log, sender, "it is in no network of Snmp:Clients");
            }

            return null;
        }

        byte[]? answer = responder.Answer(datagram, out SnmpRefusal refusal);
        if (refusal != SnmpRefusal.None && MaySay())
        {
            LogRefused(log, sender, refusal == SnmpRefusal.WrongCommunity
                ? "it names another community than Snmp:Community"
                : "it is no SNMP v1 or v2c request");
        }

        return answer;
    }

    /// <summary>Datagrams are cheap to send: they must not fill the log. One caller at a time.</summary>
    private bool MaySay()
    {
        if (_saidAt is { } at && time.GetElapsedTime(at) < s_quiet)
        {
            return false;
        }

        _saidAt = time.GetTimestamp();
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "SNMP on UDP {EndPoint}")]
    private static partial void LogOpen(ILogger log, IPEndPoint endPoint);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "An SNMP request from {Sender} gets no answer: {Reason}. Others are not told of for a minute")]
    private static partial void LogRefused(ILogger log, IPEndPoint sender, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An SNMP request could not be answered. Others are not told of for a minute")]
    private static partial void LogFailed(ILogger log, Exception exception);
}
