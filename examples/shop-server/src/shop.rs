//! The shop itself: who is logged in, what the carts hold, which orders are paid. Its
//! memory is fixed at the start: the newest login and order replace the oldest. Knows
//! nothing of HTTP.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Logins remembered; the next one ends the oldest.
const SESSIONS: usize = 1 << 17;
/// Orders remembered; the next one replaces the oldest.
const ORDERS: usize = 1 << 20;
/// The password of every user.
const PASSWORD: &str = "123456";

/// What is for sale; a product's id is its place in the list, counted from 1.
const CATALOGUE: [(&str, u32); 12] = [
    ("teapot", 3490),
    ("green tea", 690),
    ("black tea", 590),
    ("cup", 890),
    ("saucer", 490),
    ("kettle", 4990),
    ("honey", 790),
    ("lemon", 60),
    ("sugar", 190),
    ("biscuits", 340),
    ("tablecloth", 2290),
    ("tray", 1590),
];

/// One thing for sale.
#[derive(Debug, Serialize)]
pub(crate) struct Product {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    /// In cents.
    pub(crate) price: u32,
}

/// So many of one product.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) product: u32,
    pub(crate) quantity: u32,
}

/// The content of a cart.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cart {
    pub(crate) lines: Vec<Line>,
    /// In cents.
    pub(crate) total: u64,
}

/// Why the shop declines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("wrong user name or password")]
    WrongPassword,
    #[error("not logged in: send the token of POST /login as `authorization: Bearer TOKEN`")]
    NotLoggedIn,
    #[error("no such product: GET /products lists them")]
    UnknownProduct,
    #[error("the quantity must be from 1 to 99")]
    BadQuantity,
    #[error("the amount must be above 0 and the coupon not above the amount")]
    BadAmount,
    #[error("no such order")]
    UnknownOrder,
    #[error("the order has been paid already")]
    AlreadyPaid,
}

/// One login.
struct Session {
    nonce: u64,
    /// At most one line a product.
    cart: Vec<Line>,
}

/// All state of the shop. Two requests meet on a lock only when they share a session.
pub(crate) struct Shop {
    sessions: Box<[Mutex<Option<Session>>]>,
    logins: AtomicUsize,
    /// Order `id` lives at `id % len` as `id << 1 | paid`.
    orders: Box<[AtomicU64]>,
    last_order: AtomicU64,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with_capacity(SESSIONS, ORDERS)
    }

    fn with_capacity(sessions: usize, orders: usize) -> Self {
        Self {
            sessions: (0..sessions).map(|_| Mutex::new(None)).collect(),
            logins: AtomicUsize::new(0),
            orders: (0..orders).map(|_| AtomicU64::new(0)).collect(),
            last_order: AtomicU64::new(0),
        }
    }

    pub(crate) fn products() -> Vec<Product> {
        (1..)
            .zip(CATALOGUE)
            .map(|(id, (name, price))| Product { id, name, price })
            .collect()
    }

    /// Opens a session with an empty cart and returns its token.
    pub(crate) fn log_in(&self, username: &str, password: &str) -> Result<String, Refusal> {
        if username.is_empty() || password != PASSWORD {
            return Err(Refusal::WrongPassword);
        }
        let slot = self.logins.fetch_add(1, Ordering::Relaxed) % self.sessions.len();
        let nonce = rand::random();
        *self.sessions[slot].lock() = Some(Session {
            nonce,
            cart: Vec::new(),
        });
        Ok(format!("{slot:08x}{nonce:016x}"))
    }

    pub(crate) fn cart(&self, token: &str) -> Result<Cart, Refusal> {
        self.with_session(token, |session| Cart::of(&session.cart))
    }

    /// Adds to the cart and returns what is in it then.
    pub(crate) fn add(&self, token: &str, line: Line) -> Result<Cart, Refusal> {
        if price(line.product).is_none() {
            return Err(Refusal::UnknownProduct);
        }
        if !(1..=99).contains(&line.quantity) {
            return Err(Refusal::BadQuantity);
        }
        self.with_session(token, |session| {
            match session.cart.iter_mut().find(|l| l.product == line.product) {
                Some(held) => held.quantity = held.quantity.saturating_add(line.quantity),
                None => session.cart.push(line),
            }
            Cart::of(&session.cart)
        })
    }

    /// Takes an order and returns its id.
    pub(crate) fn order(&self, amount: u64, coupon: u64) -> Result<u64, Refusal> {
        if amount == 0 || coupon > amount {
            return Err(Refusal::BadAmount);
        }
        let id = self.last_order.fetch_add(1, Ordering::Relaxed) + 1;
        self.order_slot(id).store(id << 1, Ordering::Release);
        Ok(id)
    }

    pub(crate) fn pay(&self, id: u64) -> Result<(), Refusal> {
        // Larger ids were never given out, and would not survive the shift.
        if id == 0 || id > self.last_order.load(Ordering::Relaxed) {
            return Err(Refusal::UnknownOrder);
        }
        let (unpaid, paid) = (id << 1, id << 1 | 1);
        self.order_slot(id)
            .compare_exchange(unpaid, paid, Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
            .map_err(|found| match found == paid {
                true => Refusal::AlreadyPaid,
                false => Refusal::UnknownOrder,
            })
    }

    fn order_slot(&self, id: u64) -> &AtomicU64 {
        &self.orders[(id % self.orders.len() as u64) as usize]
    }

    fn with_session<T>(
        &self,
        token: &str,
        act: impl FnOnce(&mut Session) -> T,
    ) -> Result<T, Refusal> {
        let (slot, nonce) = parse_token(token).ok_or(Refusal::NotLoggedIn)?;
        let mut session = self.sessions.get(slot).ok_or(Refusal::NotLoggedIn)?.lock();
        match session.as_mut() {
            Some(session) if session.nonce == nonce => Ok(act(session)),
            _ => Err(Refusal::NotLoggedIn),
        }
    }
}

impl Cart {
    fn of(lines: &[Line]) -> Self {
        Self {
            lines: lines.to_vec(),
            total: lines
                .iter()
                .filter_map(|line| Some(u64::from(price(line.product)?) * u64::from(line.quantity)))
                .sum(),
        }
    }
}

/// The price of a product in cents, if there is such a product.
fn price(product: u32) -> Option<u32> {
    let index = usize::try_from(product.checked_sub(1)?).ok()?;
    CATALOGUE.get(index).map(|&(_, price)| price)
}

fn parse_token(token: &str) -> Option<(usize, u64)> {
    let (slot, nonce) = token.split_at_checked(8)?;
    Some((
        usize::from_str_radix(slot, 16).ok()?,
        u64::from_str_radix(nonce, 16).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_adds_up() {
        let shop = Shop::with_capacity(4, 4);
        let token = shop.log_in("alice", PASSWORD).unwrap();
        let add = |product, quantity| shop.add(&token, Line { product, quantity });

        add(2, 1).unwrap();
        add(1, 2).unwrap();
        let cart = add(2, 3).unwrap();

        assert_eq!(cart.total, 4 * 690 + 2 * 3490);
        assert_eq!(cart.lines.len(), 2);
        assert_eq!(shop.cart(&token), Ok(cart));
        assert_eq!(add(0, 1), Err(Refusal::UnknownProduct));
        assert_eq!(add(13, 1), Err(Refusal::UnknownProduct));
        assert_eq!(add(1, 0), Err(Refusal::BadQuantity));
        assert_eq!(add(1, 100), Err(Refusal::BadQuantity));
    }

    #[test]
    fn only_the_password_and_the_exact_token_open_a_session() {
        let shop = Shop::with_capacity(4, 4);
        assert_eq!(shop.log_in("alice", "guess"), Err(Refusal::WrongPassword));
        assert_eq!(shop.log_in("", PASSWORD), Err(Refusal::WrongPassword));

        let token = shop.log_in("alice", PASSWORD).unwrap();
        let mut other = token.clone();
        let last = if other.pop() == Some('0') { '1' } else { '0' };
        other.push(last);
        for wrong in ["", "é", "00000000", &other, "ffffffff0000000000000000"] {
            assert_eq!(shop.cart(wrong), Err(Refusal::NotLoggedIn), "{wrong}");
        }
        assert!(shop.cart(&token).is_ok());
    }

    #[test]
    fn the_oldest_login_makes_room() {
        let shop = Shop::with_capacity(2, 2);
        let tokens: Vec<_> = (0..3)
            .map(|_| shop.log_in("alice", PASSWORD).unwrap())
            .collect();
        assert_eq!(shop.cart(&tokens[0]), Err(Refusal::NotLoggedIn));
        assert!(shop.cart(&tokens[1]).is_ok());
        assert!(shop.cart(&tokens[2]).is_ok());
    }

    #[test]
    fn an_order_is_paid_once() {
        let shop = Shop::with_capacity(2, 2);
        assert_eq!(shop.order(0, 0), Err(Refusal::BadAmount));
        assert_eq!(shop.order(100, 101), Err(Refusal::BadAmount));

        assert_eq!(shop.pay(1), Err(Refusal::UnknownOrder));
        let id = shop.order(100, 30).unwrap();
        assert_eq!(shop.pay(id), Ok(()));
        assert_eq!(shop.pay(id), Err(Refusal::AlreadyPaid));
        for unknown in [0, id + 1, u64::MAX, (1 << 63) | id] {
            assert_eq!(shop.pay(unknown), Err(Refusal::UnknownOrder));
        }
    }

    #[test]
    fn the_oldest_order_makes_room() {
        let shop = Shop::with_capacity(2, 2);
        let ids: Vec<_> = (0..3).map(|_| shop.order(100, 0).unwrap()).collect();
        assert_eq!(shop.pay(ids[0]), Err(Refusal::UnknownOrder));
        assert_eq!(shop.pay(ids[1]), Ok(()));
        assert_eq!(shop.pay(ids[2]), Ok(()));
    }
}
