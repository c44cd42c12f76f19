namespace Breakwater.CacheStore;

/// <summary>
/// Parts that are opened one after the other and belong to one whole: when one of them cannot be opened, those before it are disposed, the
/// last first. One thread uses it.
/// </summary>
internal sealed class Opening : IDisposable
{
    private readonly Stack<IDisposable> _parts = [];

    /// <summary>A part is open.</summary>
    public T Add<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }

    /// <summary>All are open: they belong to the whole from now on.</summary>
    public void Complete() => _parts.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_parts.TryPop(out IDisposable? part))
        {
            part.Dispose();
        }
    }
}
