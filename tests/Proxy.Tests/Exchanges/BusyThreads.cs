using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Threads that serve clients and wait for a processor for a share of their time.</summary>
internal sealed class BusyThreads(TimeProvider time) : ServingLoad
{
    /// <summary>How many they are.</summary>
    public const int Count = 4;

    private long _at = time.GetTimestamp();
    private TimeSpan _waited;

    /// <summary>The share from now on.</summary>
    public double Share
    {
        get;
        set
        {
            _ = Waited;
            field = value;
        }
    }

    public override int Threads => Count;

    public override TimeSpan Waited
    {
        get
        {
            _waited += Share * Count * time.GetElapsedTime(_at);
            _at = time.GetTimestamp();
            return _waited;
        }
    }
}
