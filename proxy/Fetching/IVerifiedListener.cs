namespace Breakwater.Proxy.Fetching;

/// <summary>Is told of each fetched object as soon as it is whole and right. Thread-safe.</summary>
internal interface IVerifiedListener
{
    /// <summary>The object of this order is whole and right. Must not block: clients wait for the rest of it.</summary>
    void OnVerified(FetchOrder order);
}
