export const id = 989;
export const ids = [989];
export const modules = {

/***/ 989:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   createHttpRequest: () => (/* binding */ d),
/* harmony export */   createMcpProbe: () => (/* binding */ v)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(254);
/* harmony import */ var _flows_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(813);
/* harmony import */ var _zod_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(346);
/* harmony import */ var _base_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(122);
function d(e){return(t,n,r)=>f(e,t,n,r)}async function f(e,...[t,n,r]){let i=await e(t,{redirect:`manual`,credentials:`omit`,headers:{"user-agent":`ink-deploy (health check)`,accept:`*/*`,"cache-control":`no-cache`},signal:n}),a=i.headers.get(`location`),o=r===void 0?void 0:await h(i,r),s=r===void 0&&i.status>=400?await m(i):void 0;return await i.body?.cancel(),{status:i.status,...a===null?{}:{location:a},...o===void 0?{}:{contains:o},...s===void 0?{}:{text:s}}}const p=2e3;async function m({body:e}){let t=[];for await(let n of e?.values({preventCancel:!0})??[])if(t.push(n),t.reduce((e,{length:t})=>e+t,0)>=p)break;return new TextDecoder().decode(Buffer.concat(t).subarray(0,p))}async function h({headers:e,body:t},n){if([...e].some(([e,t])=>`${e}: ${t}`.includes(n)))return!0;let r=new TextDecoder,i=``,a=0;for await(let e of t?.values({preventCancel:!0})??[]){if(i=i.slice(-n.length)+r.decode(e,{stream:!0}),i.includes(n))return!0;if(a+=e.byteLength,a>=1e6)return!1}return!1}const g=2e3,_={messageBytes:4e6,totalBytes:8e6};function v(t){return async(r,i)=>{let a=y((0,_base_js__WEBPACK_IMPORTED_MODULE_3__.Tn)(t,_)),o=new _flows_js__WEBPACK_IMPORTED_MODULE_1__.h({name:`ink-deploy`,version:`1.0.0`}),s=new _flows_js__WEBPACK_IMPORTED_MODULE_1__.p(r,{fetch:a,requestInit:{redirect:`error`}}),d=()=>void o.close();i.addEventListener(`abort`,d,{once:!0});try{return await o.connect(s,{signal:i}),await S(o,i)}catch(e){throw C(e)}finally{i.removeEventListener(`abort`,d),await (0,_base_js__WEBPACK_IMPORTED_MODULE_3__.Jn)(_base_js__WEBPACK_IMPORTED_MODULE_3__.qn,2e3,new AbortController().signal,()=>s.terminateSession()).catch(()=>void 0),await o.close()}}}function y(e){return async(t,n)=>n?.method===`GET`?new Response(null,{status:405}):e(t,n)}const b=(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.m)({tools:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.s)((0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.S)()),nextCursor:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.b)().optional().catch(void 0)}),x=(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.g)({name:(0,_zod_js__WEBPACK_IMPORTED_MODULE_2__.b)()});async function S(e,t){let n=[];if(e.getServerCapabilities()?.tools===void 0)return n;try{await (0,_base_js__WEBPACK_IMPORTED_MODULE_3__.Jn)(_base_js__WEBPACK_IMPORTED_MODULE_3__.qn,1e4,t,async t=>{let r;for(let i=0;i<10&&n.length<g;i+=1){let i=r===void 0?{}:{cursor:r},a=await e.request({method:`tools/list`,params:i},b,{signal:t});if(n.push(...a.tools.flatMap(e=>x.safeParse(e).data?.name??[])),r=a.nextCursor,r===void 0)break}})}catch{t.throwIfAborted()}return n.slice(0,g)}function C(e){return e instanceof _flows_js__WEBPACK_IMPORTED_MODULE_1__.m?e.code===401||e.code===403?/* @__PURE__ */ Error(`HTTP ${e.code}, it asks for authorization; give health in ink.yml a path, and the status 401, instead`):e.code===void 0?e:/* @__PURE__ */ Error(`HTTP ${e.code}`):e}

/***/ })

};
