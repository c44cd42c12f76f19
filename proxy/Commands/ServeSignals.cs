using System.Runtime.InteropServices;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// The signals that administrators and logrotate send to proxies. SIGHUP: settings and keys are read again, the access log is opened anew.
/// SIGUSR1: the log alone. SIGUSR2: nothing, said in the log. SIGQUIT: the same as SIGTERM (EndSignals).
/// Without a handler each of them ends the process.
/// </summary>
internal sealed class ServeSignals : IDisposable
{
    // Numbers of Linux on x86-64 and arm64, signal(7): the runtime has no names for them.
    private const PosixSignal User1 = (PosixSignal)10;
    private const PosixSignal User2 = (PosixSignal)12;

    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly CancellationTokenSource _quit = new();
    private LiveSettings? _live;            // null before they are read
    private ILogger? _log;
    private IServiceProvider? _services;    // null before the proxy is built

    /// <summary>From now on no signal ends the process unasked.</summary>
    public ServeSignals()
    {
        On(PosixSignal.SIGHUP, () =>
        {
            Say("SIGHUP: the settings and the master keys are read again, the access log is opened anew.");
            Volatile.Read(ref _live)?.ReadAgain();
            Get<KeysWatch>()?.Look();
            Get<AccessLog>()?.Reopen();
        });
        On(PosixSignal.SIGQUIT, _quit.Cancel);
        if (OperatingSystem.IsLinux())
        {
            On(User1, () =>
            {
                Say("SIGUSR1: the access log is opened anew.");
                Get<AccessLog>()?.Reopen();
            });
            On(User2, () =>
                Say("SIGUSR2 means nothing here. SIGHUP reads the settings again, SIGUSR1 opens the access log anew, SIGTERM ends the "
                + "proxy."));
        }
    }

    /// <summary>SIGQUIT came.</summary>
    public CancellationToken Quit => _quit.Token;

    /// <summary>The settings are read: they can be read again.</summary>
    public void Reach(LiveSettings live, ILogger log)
    {
        Volatile.Write(ref _log, log);
        Volatile.Write(ref _live, live);
    }

    /// <summary>The proxy is built: signals reach its rooms.</summary>
    public void Reach(IServiceProvider services) => Volatile.Write(ref _services, services);

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _quit.Dispose();
    }

    private void Say(string message)
    {
#pragma warning disable CA2254 // constant at each of its callers
        Volatile.Read(ref _log)?.LogInformation(message);
#pragma warning restore CA2254
    }

    private T? Get<T>()
        where T : class => Volatile.Read(ref _services)?.GetService<T>();

    private void On(PosixSignal signal, Action then) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        then();
    }));
}
