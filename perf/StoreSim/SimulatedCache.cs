namespace Breakwater.StoreSim;

/// <summary>A cache in a simulation: asked for an object, it says whether it had it, and takes it if not.</summary>
public abstract class SimulatedCache(string name)
{
    public string Name { get; } = name;

    public long WrittenBytes { get; protected set; }

    public abstract bool Access(TraceRequest request);

    /// <summary>Pinned objects that were evicted.</summary>
    public int LostPinned { get; protected set; }
}
