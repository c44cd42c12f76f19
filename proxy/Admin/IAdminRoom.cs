namespace Breakwater.Proxy.Admin;

/// <summary>
/// A room that answers on the admin port. Register it with <c>services.AddSingleton&lt;IAdminRoom, …&gt;()</c>; its handlers are its own
/// methods, what they need comes in by its constructor.
/// </summary>
internal interface IAdminRoom
{
    /// <summary>Maps the room's endpoints; called once, before the port opens.</summary>
    void Map(AdminApi admin);
}
